"""check_rooms.py finds a wrong arrow, a heavy header, a call that belongs to env, and lets the right ones pass."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parents[1] / 'check_rooms.py'
ROOMS = '''
base :          | fmt/
env  : base     | unistd.h
data : base     | arrow/
api  : base data |
sim  : base env data api |
'''


class CheckRooms(unittest.TestCase):

    def check(self, files, rooms=ROOMS):
        """Lays the files out under a source folder and returns (exit code, faults)."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / 'rooms.txt').write_text(rooms)
            for name, text in files.items():
                path = root / 'src' / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            done = subprocess.run([sys.executable, str(CHECK), str(root / 'rooms.txt'), str(root / 'src')], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return done.returncode, done.stdout

    def assert_fault(self, files, message):
        code, output = self.check(files)
        self.assertEqual(code, 1)
        self.assertEqual(output.strip(), message)

    def test_right_arrows_pass(self):
        code, output = self.check({
            'flott.h': '// For users.\n#include "flott/api/flott.h"\n',
            'base/error.h': '// Errors.\n#include <string>\n',
            'base/error.cc': '#include <fmt/core.h>\n#include "flott/base/error.h"\n',
            'data/batch.h': '// Batches.\n#include <arrow/type_fwd.h>\n#include "flott/base/error.h"\n',
            'data/tests/batch_test.cc': '#include <gtest/gtest.h>\n#include "flott/sim/world.h"\n',
            'env/posix/clock.cc': '#include <unistd.h>\n#include <thread>\nauto t = std::chrono::steady_clock::now();\n',
        })
        self.assertEqual((code, output.strip()), (0, 'rooms: clean'))

    def test_wrong_arrow(self):
        self.assert_fault({'base/error.cc': '\n#include "flott/data/batch.h"\n'},
                          'base/error.cc:2: base may not include data: "data/batch.h"')

    def test_private_header_of_another_room(self):
        self.assert_fault({'data/batch.cc': '#include "flott/base/internal/table.h"\n'},
                          'data/batch.cc:1: base/internal/table.h is private to base')

    def test_path_not_from_flott(self):
        self.assert_fault({'data/batch.cc': '#include "batch.h"\n'},
                          'data/batch.cc:1: write the full path, "flott/<room>/…": "batch.h"')

    def test_outside_header_of_another_room(self):
        self.assert_fault({'base/error.cc': '#include <arrow/api.h>\n'}, 'base/error.cc:1: base may not use <arrow/api.h>')

    def test_heavy_header(self):
        self.assert_fault({'data/batch.h': '// Batches.\n#include <functional>\n'},
                          'data/batch.h:2: <functional> is too heavy for a header')
        code, _ = self.check({'data/batch.cc': '#include <functional>\n'})
        self.assertEqual(code, 0)

    def test_calls_that_belong_to_env(self):
        for call in ('auto t = std::chrono::steady_clock::now();', 'std::thread worker(run);', 'std::random_device d;',
                     'std::this_thread::sleep_for(1s);', 'const char* home = getenv("HOME");'):
            self.assert_fault({'data/batch.cc': call + '\n'},
                              f'data/batch.cc:1: time, threads and chance come from Env: {call}')
        self.assert_fault({'data/batch.cc': '#include <thread>\n'}, 'data/batch.cc:1: <thread> only under env/posix/')

    def test_system_header_outside_of_posix(self):
        self.assert_fault({'env/files.cc': '#include <unistd.h>\n'}, 'env/files.cc:1: <unistd.h> only under env/posix/')

    def test_comments_do_not_count(self):
        code, _ = self.check({'data/batch.cc': '// never call getenv() here\n'})
        self.assertEqual(code, 0)

    def test_unknown_room(self):
        self.assert_fault({'attic/old.cc': '\n'}, 'attic/old.cc:1: no such room: attic')

    def test_rooms_that_form_a_cycle(self):
        code, output = self.check({}, 'base : data |\ndata : base |\n')
        self.assertEqual(code, 1)
        self.assertIn('base may not name data', output)


if __name__ == '__main__':
    unittest.main()
