"""The messages between Azure's host and its Python worker, as protobuf classes. The library calls them `protos`.

Names and numbers are those of FunctionRpc.proto and NullableTypes.proto
(https://github.com/Azure/azure-functions-language-worker-protobuf), as far as a worker of HTTP functions uses them.
The worker in Azure has classes that a compiler made; the library takes any that behave the same.
"""

import re
from types import SimpleNamespace
from typing import Final

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_MESSAGES: Final = """
NullableString: string=(string value 1)
NullableDouble: double=(double value 1)
NullableBool: bool=(bool value 1)
NullableTimestamp: timestamp=(google.protobuf.Timestamp value 1)

RpcHttpCookie: enum SameSite None Lax Strict ExplicitNone
    string name 1, string value 2, NullableString domain 3, NullableString path 4, NullableTimestamp expires 5
    NullableBool secure 6, NullableBool http_only 7, RpcHttpCookie.SameSite same_site 8, NullableDouble max_age 9
RpcHttp: string method 1, string url 2, map string headers 3, TypedData body 4, map string params 10
    string status_code 12, map string query 15, bool enable_content_negotiation 16, repeated RpcHttpCookie cookies 19
TypedData: data=(string string 1, string json 2, bytes bytes 3, RpcHttp http 5)
ParameterBinding: string name 1, rpc_data=(TypedData data 2)

RpcException: string stack_trace 1, string message 2, string source 3
StatusResult: enum Status Failure Success Cancelled
    string result 1, RpcException exception 2, StatusResult.Status status 4
WorkerMetadata: string runtime_name 1, string runtime_version 2, string worker_version 3, string worker_bitness 4
    map string custom_properties 5
BindingInfo: enum Direction in out inout, enum DataType undefined string binary stream
    string type 2, BindingInfo.Direction direction 3, BindingInfo.DataType data_type 4
RpcRetryOptions: int32 max_retry_count 2
RpcFunctionMetadata: string directory 1, string script_file 2, string entry_point 3, string name 4
    map BindingInfo bindings 6, bool is_proxy 7, string language 9, repeated string raw_bindings 10
    string function_id 13, bool managed_dependency_enabled 14, RpcRetryOptions retry_options 15
    map string properties 16
RpcTraceContext: string trace_parent 1, string trace_state 2, map string attributes 3
RetryContext: int32 retry_count 1, int32 max_retry_count 2, RpcException exception 3

WorkerInitRequest: string host_version 1, map string capabilities 2, string worker_directory 4
    string function_app_directory 5
WorkerInitResponse: string worker_version 1, map string capabilities 2, StatusResult result 3
    WorkerMetadata worker_metadata 4
FunctionEnvironmentReloadRequest: map string environment_variables 1, string function_app_directory 2
FunctionEnvironmentReloadResponse: WorkerMetadata worker_metadata 1, map string capabilities 2, StatusResult result 3
FunctionsMetadataRequest: string function_app_directory 1
FunctionMetadataResponse: repeated RpcFunctionMetadata function_metadata_results 1, StatusResult result 2
    bool use_default_metadata_indexing 3
InvocationRequest: string invocation_id 1, string function_id 2, repeated ParameterBinding input_data 3
    map TypedData trigger_metadata 4, RpcTraceContext trace_context 5, RetryContext retry_context 6
InvocationResponse: string invocation_id 1, repeated ParameterBinding output_data 2, StatusResult result 3
    TypedData return_value 4
StreamingMessage: string request_id 1, content=(InvocationRequest invocation_request 4
    InvocationResponse invocation_response 5, WorkerInitResponse worker_init_response 16
    WorkerInitRequest worker_init_request 17, FunctionEnvironmentReloadRequest function_environment_reload_request 25
    FunctionEnvironmentReloadResponse function_environment_reload_response 26
    FunctionsMetadataRequest functions_metadata_request 29, FunctionMetadataResponse function_metadata_response 30)
"""
"""A line a message: enumerations, fields with their types and numbers, and the fields of a oneof in brackets."""

_FIELD: Final = re.compile(r"(?:(repeated|map) )?([\w.]+) (\w+) (\d+)")
_SCALARS: Final = {
    name: getattr(FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in ("string", "bytes", "bool", "int32", "double")
}
_PACKAGE: Final = "AzureFunctionsRpcMessages"


def _message(text: str) -> DescriptorProto:
    name, _, rest = text.partition(": ")
    message = DescriptorProto(name=name)
    for enumeration in re.findall(r"enum ([A-Z]\w+(?: \w+)+?)(?=,|$|\n)", rest):
        title, *values = enumeration.split()
        added = message.enum_type.add(name=title)
        for number, value in enumerate(values):
            added.value.add(name=value, number=number)
    rest = re.sub(r"enum [A-Z]\w+(?: \w+)+?(?=,|$|\n)", "", rest)
    for oneof, fields in re.findall(r"(\w+)=\(([^)]*)\)", rest):
        message.oneof_decl.add(name=oneof)
        for field in _FIELD.finditer(fields):
            _add(message, field).oneof_index = len(message.oneof_decl) - 1
    for field in _FIELD.finditer(re.sub(r"\w+=\([^)]*\)", "", rest)):
        _add(message, field)
    return message


def _add(message: DescriptorProto, found: re.Match[str]) -> FieldDescriptorProto:
    many, kind, name, number = found.groups()
    field = message.field.add(name=name, number=int(number))
    field.label = field.LABEL_REPEATED if many else field.LABEL_OPTIONAL
    if many == "map":
        entry = message.nested_type.add(name=f"{field.name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _typed(entry.field.add(name="key", number=1, label=FieldDescriptorProto.LABEL_OPTIONAL), "string")
        _typed(entry.field.add(name="value", number=2, label=FieldDescriptorProto.LABEL_OPTIONAL), kind)
        _typed(field, f"{message.name}.{entry.name}")
    else:
        _typed(field, kind)
    return field


def _typed(field: FieldDescriptorProto, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        is_enumeration = kind.partition(".")[2] in {"SameSite", "Status", "Direction", "DataType"}
        field.type = field.TYPE_ENUM if is_enumeration else field.TYPE_MESSAGE
        field.type_name = f".{kind}" if kind.startswith("google.") else f".{_PACKAGE}.{kind}"


def protos() -> SimpleNamespace:
    """The classes, by the names of their messages."""
    file = FileDescriptorProto(name="FunctionRpc.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    file.message_type.extend(map(_message, re.findall(r"^\w.*(?:\n    .*)*", _MESSAGES, re.MULTILINE)))
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return SimpleNamespace(
        **{
            each.name: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{each.name}"))
            for each in file.message_type
        }
    )
