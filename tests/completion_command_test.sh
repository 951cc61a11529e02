#!/usr/bin/env bash
# The completion of shells. FLOTT_BUILD is the build folder; run_tests.py sets it.
. tests/shell/commands.sh

run 0 completion bash
cp "$folder/out" "$folder/flott.bash"
. "$folder/flott.bash"
touch "$folder/program" && mkdir "$folder/programs"

# What is offered for the last word, as one line: offered WORD…; words as bash cuts them.
offered() {
  COMP_WORDS=(flott "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _flott
  [ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' ' -
}
offers() {
  local wanted=$1 got
  shift
  got=$(offered "$@")
  [ "$got" = "$wanted" ] || wrong "flott $*: offers '$got' instead of '$wanted'"
}

[ "$(complete -p flott)" = 'complete -F _flott flott' ] || wrong 'nothing completes flott'
offers 'info' i
offers 'cat diff ls rm' state ''
offers 'diff' state d
offers '' state x
offers '--limit' state cat --l
offers '--workers' run -p 4 --w
offers 'bash' completion b
offers 'rest.port' config rest.p
offers 'rest.port=' run -D rest.p
offers '' run -D rest.port = 8
offers '--slots' run -D rest.port = 8081 --s
offers '--slots' run --workers = 3 --s
offers "$folder/program $folder/programs" run "$folder/pro"
offers "$folder/programs" run --from-savepoint "$folder/programs"
offers '' run program --w
offers "$folder/program $folder/programs" run program --input "$folder/pro"
offers '--help' --

# Whatever stands in the table is offered: each command of the help.
for command in $("$flott" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
  offers "$command" "$command"
  [ "$(offered "$command" --hel)" = --help ] || wrong "flott $command has no --help"
done

run 0 completion zsh
cp "$folder/out" "$folder/_flott"
has out '^#compdef flott$'
if command -v zsh >/dev/null; then zsh -n "$folder/_flott" || wrong 'zsh cannot read its script'; fi
run 0 completion fish
cp "$folder/out" "$folder/flott.fish"
has out "^complete -c flott -n '__flott_at '.*flott state'.*' -a ls -d "
if command -v fish >/dev/null; then fish -n "$folder/flott.fish" || wrong 'fish cannot read its script'; fi

refused "there is no completion for the shell 'bahs': did you mean 'bash'?" completion bahs
refused 'flott completion takes the name of a shell: bash, zsh or fish' completion
exit $failed
