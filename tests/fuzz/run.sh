#!/usr/bin/env bash
# Fuzzes the request parser with libFuzzer (clang), for SECONDS (60 by default): tests/fuzz/run.sh [SECONDS]
# New inputs and crashes are kept under build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v clang++ >/dev/null || { echo "fuzz: needs the packages clang and libclang-rt-dev" >&2; exit 1; }
mkdir -p build/fuzz/corpus
clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/request_fuzz.cpp http/server/{head_parser,target,request,body_decoder,content_coding}.cpp \
  schemas/error.cpp -lsimdjson -lz -lbrotlienc -o build/fuzz/request_fuzz
printf 'xGET /a?b=c HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip;q=0.5\r\n\r\n' > build/fuzz/corpus/get
printf 'xPOST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: v\r\n\r\n' > build/fuzz/corpus/chunked
printf 'xPOST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 23\r\n\r\n%s' "$(printf abc | gzip -n | tr -d '\0')" > build/fuzz/corpus/gzip
exec build/fuzz/request_fuzz -max_total_time="${1:-60}" -max_len=8192 -artifact_prefix=build/fuzz/ build/fuzz/corpus
