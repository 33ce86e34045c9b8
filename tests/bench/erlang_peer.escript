#!/usr/bin/env escript
%% The yardstick of links: two Erlang nodes on loopback, distribution over TCP without TLS, measured as link_bench measures
%% ours: round trips of gen_server:call one at a time, and one-way sends that a call at the end waits for.
%% Prints `bench NAME VALUE UNIT` lines. Run without arguments it starts both nodes and ends them. No epmd is needed or
%% started: the answering node has a port that the asking one is told, and the asking one does not listen.
-module(erlang_peer).
-mode(compile).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).

main([]) ->
    Port = free_port(),
    Cookie = binary_to_list(binary:encode_hex(crypto_free_random(16))),
    Answering = start("answer", Port, Cookie, ""),
    receive {Answering, {data, {eol, <<"up">>}}} -> ok after 20000 -> give_up("the answering node did not start") end,
    Asking = start("ask", Port, Cookie, " -dist_listen false"),
    Code = print_until_end(Asking),
    port_close(Answering), % its end of input, at which it halts
    halt(Code);
main(["answer"]) ->
    named('bench_answer@127.0.0.1'),
    {ok, _} = gen_server:start_link({local, bench}, ?MODULE, [], []),
    io:format("up~n"),
    eof = io:get_line(""),
    halt(0);
main(["ask"]) ->
    named('bench_ask@127.0.0.1'),
    true = net_kernel:connect_node('bench_answer@127.0.0.1'),
    Peer = {bench, 'bench_answer@127.0.0.1'},
    [round_trips(Peer, Bytes) || Bytes <- [100, 10000]],
    [one_way(Peer, Bytes, Count) || {Bytes, Count} <- [{100, 300000}, {1000, 300000}, {100000, 5000}]],
    halt(0).

named(Name) ->
    {ok, _} = net_kernel:start([Name, longnames]),
    erlang:set_cookie(list_to_atom(os:getenv("BENCH_COOKIE"))).

round_trips(Peer, Bytes) ->
    Payload = binary:copy(<<"e">>, Bytes),
    _ = [gen_server:call(Peer, {echo, Payload}) || _ <- lists:seq(1, 1000)],
    Taken = lists:sort([timed(fun() -> Payload = gen_server:call(Peer, {echo, Payload}) end) || _ <- lists:seq(1, 5000)]),
    io:format("bench link Erlang, round trip of ~b bytes, p50 ~.1f us~n", [Bytes, lists:nth(2500, Taken)]),
    io:format("bench link Erlang, round trip of ~b bytes, p99 ~.1f us~n", [Bytes, lists:nth(4950, Taken)]).

one_way(Peer, Bytes, Count) ->
    Payload = binary:copy(<<"x">>, Bytes),
    0 = gen_server:call(Peer, reset),
    Taken = timed(fun() -> send(Peer, {take, Payload}, Count), Count = gen_server:call(Peer, count, 60000) end),
    io:format("bench link Erlang, one way, ~b bytes ~b frames/s~n", [Bytes, round(Count * 1.0e6 / Taken)]).

send(_, _, 0) -> ok;
send(Peer, Message, Left) -> Peer ! Message, send(Peer, Message, Left - 1).

timed(What) ->
    Begun = erlang:monotonic_time(nanosecond),
    What(),
    (erlang:monotonic_time(nanosecond) - Begun) / 1000.

%% The answering side.
init([]) -> {ok, 0}.
handle_call({echo, Payload}, _, Count) -> {reply, Payload, Count};
handle_call(count, _, Count) -> {reply, Count, Count};
handle_call(reset, _, _) -> {reply, 0, 0}.
handle_cast(_, Count) -> {noreply, Count}.
handle_info({take, _}, Count) -> {noreply, Count + 1}.

%% Children.
start(Role, Port, Cookie, More) ->
    Flags = "-start_epmd false -erl_epmd_port " ++ integer_to_list(Port) ++
        " -kernel inet_dist_use_interface {127,0,0,1}" ++ More,
    open_port({spawn_executable, os:find_executable("escript")},
              [{args, [escript:script_name(), Role]}, {env, [{"ERL_FLAGS", Flags}, {"BENCH_COOKIE", Cookie}]},
               {line, 1000}, binary, exit_status, stderr_to_stdout]).

print_until_end(Port) ->
    receive
        {Port, {data, {_, Line}}} -> io:format("~s~n", [Line]), print_until_end(Port);
        {Port, {exit_status, Code}} -> Code
    after 120000 -> give_up("the asking node does not end")
    end.

give_up(Why) ->
    io:format(standard_error, "erlang_peer: ~s~n", [Why]),
    halt(1). % closes the ports: both nodes end

free_port() ->
    {ok, Socket} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Socket),
    ok = gen_tcp:close(Socket),
    Port.

%% erlang-base has no OpenSSL binding.
crypto_free_random(Bytes) ->
    {ok, File} = file:open("/dev/urandom", [read, raw, binary]),
    {ok, Random} = file:read(File, Bytes),
    ok = file:close(File),
    Random.
