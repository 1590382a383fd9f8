"""What FastAPI's routes and dependants are made of, as far as `routes` knows it.

Each part is read there, or says nothing about how a request is answered.
"""

ROUTE_PARTS = {
    "original_route", "starlette_route", "app", "frontend_prefix", "path", "endpoint",
    "stream_item_type", "response_model", "summary", "response_description", "deprecated",
    "operation_id", "response_model_include", "response_model_exclude", "response_model_by_alias",
    "response_model_exclude_unset", "response_model_exclude_defaults",
    "response_model_exclude_none", "include_in_schema", "response_class",
    "dependency_overrides_provider", "callbacks", "openapi_extra", "generate_unique_id_function",
    "strict_content_type", "max_body_size", "tags", "responses", "name", "path_regex",
    "path_format", "param_convertors", "methods", "unique_id", "status_code", "response_field",
    "stream_item_field", "dependencies", "description", "response_fields", "dependant",
    "_embed_body_fields", "body_field", "is_sse_stream", "is_json_stream",
}  # fmt: skip
DEPENDANT_PARTS = {
    "path_params", "query_params", "header_params", "cookie_params", "body_params", "dependencies",
    "name", "call", "request_param_name", "websocket_param_name", "http_connection_param_name",
    "response_param_name", "background_tasks_param_name", "security_scopes_param_name",
    "own_oauth_scopes", "parent_oauth_scopes", "use_cache", "path", "scope", "concurrency",
}  # fmt: skip
