#!/usr/bin/env python3
"""The layering check must be able to fail."""
import os
import tempfile
import unittest

import check_layers


class CheckLayers(unittest.TestCase):
    def complaints(self, path, text):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, os.path.dirname(path)))
            with open(os.path.join(root, path), 'w', encoding='utf-8') as out:
                out.write(text)
            return check_layers.check_file(root, path)

    def test_names_file_and_line_of_an_upward_include(self):
        found = self.complaints('core/models/voice.cc', '\n#include "server/server.h"\n')
        self.assertEqual(len(found), 1)
        self.assertIn('core/models/voice.cc:2: core/models may not include server', found[0])

    def test_core_never_sees_a_request(self):
        self.assertTrue(self.complaints('core/streaming/a.cc', '#include "ddsp/v1/session.pb.h"\n'))
        self.assertFalse(self.complaints('core/streaming/a.cc', '#include "ddsp/v1/model.pb.h"\n'))

    def test_the_sdk_has_no_torch_and_no_dsp(self):
        self.assertTrue(self.complaints('client/sdk/a.cc', '#include <torch/torch.h>\n'))
        self.assertTrue(self.complaints('client/sdk/a.cc', '#include "core/dsp/units.h"\n'))
        self.assertFalse(self.complaints('client/sdk/a.cc', '#include "core/base/mutex.h"\n'))

    def test_only_the_device_worker_steps_an_engine(self):
        self.assertTrue(self.complaints('server/session/a.cc', 'engine->Step(requests);\n'))
        self.assertFalse(self.complaints('server/scheduler/device_worker.cc', 'engine->Step(requests);\n'))

    def test_a_folder_outside_the_table_is_found(self):
        self.assertTrue(self.complaints('core/newfolder/a.cc', ''))

    def test_layers_have_no_cycle(self):
        left = {name: {d for d in deps if d in check_layers.ALLOWED} for name, deps in check_layers.ALLOWED.items()}
        while left:
            free = [name for name, deps in left.items() if not deps & left.keys()]
            self.assertTrue(free, f'a cycle among {sorted(left)}')
            for name in free:
                del left[name]


if __name__ == '__main__':
    unittest.main()
