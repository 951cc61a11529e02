# Apache Flink's own command line, for tests that point it at Flott; sourced behind commands.sh. `flink_is_there` says
# whether `tools/install-deps.sh --flink` has been here.
flink_home="$PWD/build/deps/flink"

flink_is_there() { ls "$flink_home"/lib/flink-dist-*.jar >/dev/null 2>&1 && command -v java >/dev/null; }

# Runs it with arguments; its exit code must be the first of these. What it writes is in $folder/out.
run_flink() {
  local wanted=$1 code=0
  shift
  mkdir -p "$folder/flink/plugins"
  [ -f "$folder/flink/config.yaml" ] || printf 'client.timeout: 60 s\n' >"$folder/flink/config.yaml"
  [ -f "$folder/flink/log4j.properties" ] || printf 'rootLogger.level = OFF\n' >"$folder/flink/log4j.properties"
  FLINK_CONF_DIR="$folder/flink" FLINK_LIB_DIR="$flink_home/lib" FLINK_PLUGINS_DIR="$folder/flink/plugins" \
    timeout 120 java -XX:TieredStopAtLevel=1 --add-opens=java.base/java.lang=ALL-UNNAMED \
    --add-opens=java.base/java.util=ALL-UNNAMED -Dlog4j.configurationFile="$folder/flink/log4j.properties" \
    -cp "$flink_home/lib/*" org.apache.flink.client.cli.CliFrontend "$@" >"$folder/out" 2>&1 </dev/null || code=$?
  if [ "$code" != "$wanted" ]; then
    wrong "Flink's command line: $*: exit code $code instead of $wanted"
    tail -n 40 "$folder/out"
  fi
}
