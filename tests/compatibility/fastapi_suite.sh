#!/usr/bin/env bash
# fastapi_suite.sh GIT_DIR [FOLDER]: FastAPI's own tests, with our application in FastAPI's place.
# GIT_DIR is the git directory of a copy of fastapi/fastapi, at the release that uv.lock names or
# near it. What is made of it lies in FOLDER, a temporary one unless named, and never in the
# repository. Runs them on FastAPI, then on ours: `plain` is with FastAPI's exception handlers,
# `shaped` with ours. Prints by test file how many of those that pass on FastAPI are lost, and
# leaves their names in FOLDER. WAYS=plain does one of the two.
# To run some of them again: FOLDER/ours.sh [plain|shaped] [what pytest takes].
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
suite=$(realpath "${1:?a git directory of fastapi/fastapi}")
folder=${2:-$(mktemp -d)}
mkdir -p "$folder"
cd "$folder"

git --git-dir="$suite" archive HEAD tests docs_src | tar x
printf '[pytest]\naddopts = -p no:cacheprovider -p no:warnings --timeout 30\n' > pytest.ini

# Without the project itself, whose `src` is on the path, so that a change is seen at once.
uv export --quiet --frozen --no-emit-project --project "$project" --output-file requirements.txt
uv venv --quiet --allow-existing --python 3.12 venv
export VIRTUAL_ENV=$PWD/venv
uv pip install --quiet -r requirements.txt python-multipart dirty-equals inline-snapshot \
    itsdangerous pyjwt pwdlib sqlmodel flask a2wsgi strawberry-graphql pyyaml ujson trio \
    pytest-timeout

cat > ours.sh <<END
#!/usr/bin/env bash
# ours.sh [plain|shaped|stock] [what pytest takes]: see fastapi_suite.sh. PROJECT names the project.
set -euo pipefail
project=\${PROJECT:-$project}
cd "\$(dirname "\${BASH_SOURCE[0]}")"
cp "\$project/tests/compatibility/fastapi_suite_conftest.py" conftest.py
cp "\$project/tests/compatibility/applications.py" plinth_applications.py
way=plain
case \${1:-} in plain|shaped|stock) way=\$1; shift;; esac
if [ \$way = stock ]; then export PASSED=stock.txt; else
    export OURS=\$way BEFORE=stock.txt LOST=lost-\$way.txt
fi
[ \$# -gt 0 ] || { export WHOLE=1; set -- tests -n 2 --tb=no -rN; }
PYTHONPATH=\$project/src exec venv/bin/python -m pytest -q --tb=short "\$@"
END
chmod +x ours.sh

./ours.sh stock > stock.log || true  # some need what only FastAPI's own CI has
for way in ${WAYS:-plain shaped}; do
    ./ours.sh "$way" > "$way.log" || true
    grep -E "^ +[0-9]+ tests/|^$way: " "$way.log"
done
echo "What is lost: $folder/lost-*.txt"
