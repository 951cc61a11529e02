"""run_tests.py counts what passed and failed, also when a binary crashes, hangs or was not built."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import run_tests  # noqa: E402

RUN_TESTS = pathlib.Path(__file__).resolve().parents[1] / 'run_tests.py'
ONE_PASSES = 'echo "[ RUN      ] A.b"; echo "[       OK ] A.b (0 ms)"\n'


class RunTests(unittest.TestCase):

    def run_binaries(self, scripts, *arguments):
        """Runs shell scripts as if they were test binaries. Returns (exit code, lines printed)."""
        with tempfile.TemporaryDirectory() as folder:
            tests = pathlib.Path(folder) / 'tests'
            tests.mkdir()
            for name, text in scripts.items():
                if text is not None:
                    (tests / name).write_text('#!/bin/sh\n' + text)
                    (tests / name).chmod(0o755)
            (tests / 'binaries.txt').write_text(''.join(f'{tests / name}\n' for name in scripts))
            done = subprocess.run([sys.executable, str(RUN_TESTS), '--build', folder, '--units', *arguments], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return done.returncode, done.stdout.splitlines()

    def test_passed_cases_are_counted_over_all_binaries(self):
        code, lines = self.run_binaries({'one': ONE_PASSES, 'two': ONE_PASSES + ONE_PASSES})
        self.assertEqual((code, lines[-1]), (0, '3 passed, 0 failed'))

    def test_failed_case_is_named_and_its_output_shown(self):
        code, lines = self.run_binaries({'one': ONE_PASSES + '''
echo "[ RUN      ] A.c"; echo "expected 1, was 2"; echo "[  FAILED  ] A.c (0 ms)"
echo "[  FAILED  ] 1 test, listed below:"; echo "[  FAILED  ] A.c"; exit 1'''})
        self.assertEqual((code, lines[-1]), (1, '1 passed, 1 failed'))
        self.assertIn('FAILED A.c', lines)
        self.assertIn('expected 1, was 2', lines)

    def test_crash_is_a_failure_of_the_running_case(self):
        code, lines = self.run_binaries({'one': ONE_PASSES + 'echo "[ RUN      ] A.c"; kill -SEGV $$'})
        self.assertEqual((code, lines[-1]), (1, '1 passed, 1 failed'))
        self.assertIn(f'FAILED one: ended by signal {int(signal.SIGSEGV)} in A.c', lines)

    def test_crash_after_a_failure_is_one_more(self):
        code, lines = self.run_binaries({'one': """
echo "[ RUN      ] A.b"; echo "[  FAILED  ] A.b (0 ms)"
echo "[ RUN      ] A.c"; kill -ABRT $$"""})
        self.assertEqual((code, lines[-1]), (1, '0 passed, 2 failed'))

    def test_skipped_case_counts_as_neither(self):
        code, lines = self.run_binaries({'one': ONE_PASSES + """
echo "[ RUN      ] A.c"; echo "[  SKIPPED ] A.c (0 ms)" """})
        self.assertEqual((code, lines[-1]), (0, '1 passed, 0 failed'))

    def test_report_after_the_last_case_is_a_failure(self):
        code, lines = self.run_binaries({'one': ONE_PASSES + 'exit 23'})
        self.assertEqual((code, lines[-1]), (1, '1 passed, 1 failed'))
        self.assertIn('FAILED one: exit code 23', lines)

    def test_hanging_binary_is_ended(self):
        code, lines = self.run_binaries({'one': ONE_PASSES + 'sleep 60'}, '--timeout', '1')
        self.assertEqual((code, lines[-1]), (1, '1 passed, 1 failed'))
        self.assertIn('FAILED one: did not end within 1 s', lines)

    def test_missing_binary_is_a_failure(self):
        code, lines = self.run_binaries({'one': ONE_PASSES, 'two': None})
        self.assertEqual((code, lines[-1]), (1, '1 passed, 1 failed'))
        self.assertIn('FAILED two: was not built', lines)

    def test_shards_get_their_parts_and_count_together(self):
        code, lines = self.run_binaries({'one': '[ $GTEST_TOTAL_SHARDS = 2 ] || exit 1\n' + f'''
if [ $GTEST_SHARD_INDEX = 0 ]; then {ONE_PASSES} else {ONE_PASSES + ONE_PASSES} fi'''}, '--shards', '2', '--only', '^one$')
        self.assertEqual((code, lines[-1]), (0, '3 passed, 0 failed'))

    def test_nothing_run_is_a_failure(self):
        code, lines = self.run_binaries({'one': ONE_PASSES}, '--only', 'nothing')
        self.assertEqual((code, lines[-1]), (1, '0 passed, 0 failed'))

    def test_script_that_is_skipped_says_why_and_counts_as_neither(self):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder) / 'some_test.sh'
            script.write_text('echo "looking"; echo "skipped: no server"; exit 77\n')
            outcome = run_tests.run_script(script, 10, dict(os.environ))
            self.assertEqual((outcome.passed, outcome.failed, outcome.skipped), (0, [], 'skipped: no server'))


if __name__ == '__main__':
    unittest.main()
