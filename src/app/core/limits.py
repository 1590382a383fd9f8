"""What PostgreSQL's numbers can hold, for those who need no more of it."""

INT4_MIN, INT4_MAX = -(2**31), 2**31 - 1  # its integer
INT8_MIN, INT8_MAX = -(2**63), 2**63 - 1  # its bigint
