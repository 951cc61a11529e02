# A cluster of its own for a test; sourced behind commands.sh. begin_cluster starts one at free ports, whose address goes
# to `address`; it ends with the script.
begin_cluster() {
  local ports
  ports=($(python3 -c "
import socket
sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in sockets])"))
  cluster=(-D rest.port="${ports[0]}" -D jobmanager.rpc.port="${ports[1]}"
    -D process.jobmanager.working-dir="$folder/cluster")
  trap 'end_cluster; end_all' EXIT
  timeout 60 "$flott" cluster start "${cluster[@]}" "$@" >"$folder/cluster.out" 2>&1 </dev/null ||
    { cat "$folder/cluster.out"; exit 1; }
  address=127.0.0.1:${ports[0]}
}
end_cluster() {
  timeout 60 "$flott" cluster stop "${cluster[@]}" >"$folder/cluster.out" 2>&1 </dev/null || wrong "$(cat "$folder/cluster.out")"
}
