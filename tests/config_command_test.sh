#!/usr/bin/env bash
# `flott config`: values and where they come from. FLOTT_BUILD is the build folder; run_tests.py sets it.
. tests/shell/commands.sh

flott=$(realpath "$flott")
prefix=(config)
mkdir "$folder/conf" "$folder/other"
cat >"$folder/conf/config.yaml" <<'END'
rest:
  port: 8090
pipeline.name: "a: b # c"
s3.secret-key: hush
pipeline.global-job-parameters.city: Ulm
END
echo 'rest.port: 8091' >"$folder/other/config.yaml"
cd "$folder"

# Files, variables and -D, the stronger ones later.
run 0 rest.port
expect 'conf/config.yaml' out <<'END'
rest.port: 8090                                                 # conf/config.yaml:2
END
FLOTT_CONF_DIR=other run 0 rest.port
has out '^rest.port: 8091 +# other/config.yaml:1$'
FLOTT_OPTION_REST_PORT=8092 run 0 rest.port
has out '^rest.port: 8092 +# FLOTT_OPTION_REST_PORT$'
FLOTT_OPTION_REST_PORT=8092 run 0 rest.port -D rest.port=8093
has out '^rest.port: 8093 +# -D$'
run 0 --config other/config.yaml rest.port
has out '^rest.port: 8091 +# other/config.yaml:1$'
run 0 --config other/config.yaml parallelism
has out '^parallelism.default: 1 +# default$'
run 0 pipeline.name
has out '^pipeline.name: "a: b # c" +# conf/config.yaml:3$'
run 0 rest.bind-port
has out '^# rest.bind-port: +# not set, and without a default$'

# Secrets are not shown, in no form.
run 0 --set
has out '^s3.secret-key: "\*{6}" +# conf/config.yaml:4$'
! grep -q hush out || wrong 'a secret is shown'
[ "$(wc -l <out)" = 4 ] || { wrong 'not the four lines that are set:'; cat out; }
run 0 --json
! grep -q hush out || wrong 'a secret is shown as JSON'
python3 - out <<'END' || failed=1
import json, sys
options = {option['key']: option for option in json.load(open(sys.argv[1]))}
assert options['rest.port'] == {**options['rest.port'], 'value': '8090', 'origin': 'conf/config.yaml:2', 'set': True,
                                'type': 'integer', 'default': '8081'}, options['rest.port']
assert options['pipeline.global-job-parameters.city']['value'] == 'Ulm'
assert options['parallelism.default']['set'] is False
assert options['rest.bind-port']['value'] is None
END

# What it prints is a configuration: reading it gives the same.
echo 'pipeline.name: "a \"quoted\" name, \\ and: more"' >odd.yaml
run 0 --config odd.yaml
cp out all.yaml
run 0 --config all.yaml
sed 's/ *# [^"]*$//' all.yaml >before
sed 's/ *# [^"]*$//' out | cmp - before || { wrong 'reading it back gives another configuration'; diff out all.yaml; }

# What is not known is refused, with its place and the nearest.
echo 'rest.prot: 1' >other/config.yaml
export FLOTT_CONF_DIR=other
refused "unknown configuration key 'rest.prot' (other/config.yaml:1): did you mean 'rest.port'?"
unset FLOTT_CONF_DIR
FLOTT_OPTION_REST_PROT=1 refused "the environment variable FLOTT_OPTION_REST_PROT is no option: did you mean \
'FLOTT_OPTION_REST_PORT'?"
FLOTT_CONF_DIR=nowhere refused "FLOTT_CONF_DIR names the folder 'nowhere', which has no config.yaml: make one, or unset the \
variable"
refused "there is no option 'rest.prot': did you mean 'rest.port'?" rest.prot
FLOTT_OPTION_REST_PORT=many refused "configuration rest.port = 'many' (FLOTT_OPTION_REST_PORT): 'many' is not a whole number"
run 0 --help
has out '^Usage: flott config'

exit $failed
