"""Ensure what many small files hold, by one run of a module instead of two for each of them."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: text_files
short_description: Ensure what small files hold
description:
  - Does what C(ansible.builtin.template) in a loop would do, and asks the host once instead of twice for each file.
    While people work on a host each run of a module takes a part of its processor from them.
  - What is a file already and is wanted otherwise is replaced at once, never in part. Folders must exist.
options:
  contents:
    description: What each file holds, by its path; written in this order.
    type: dict
    required: true
  validate:
    description: A command for some of the files, by path, in which C(%s) is a file with what would be written.
      Where it fails the file stays as it was, and what comes after it too.
    type: dict
    default: {}
extends_documentation_fragment: files
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
"""
RETURN = """
written:
  description: The paths of the files that held something else.
  type: list
  elements: str
  returned: always
"""
EXAMPLES = """
- name: Ensure the programs are in place
  text_files:
    contents:
      /usr/local/bin/hello: "{{ lookup('ansible.builtin.template', 'hello.sh.j2') }}"
    owner: root
    group: root
    mode: "0755"
"""


def main() -> None:
    """Be the module."""
    module = AnsibleModule(
        argument_spec={"contents": {"type": "dict", "required": True}, "validate": {"type": "dict", "default": {}}},
        add_file_common_args=True, supports_check_mode=True)
    os.umask(0o077)  # nobody reads what was just written before it has its owner and mode
    written, changed, diffs = [], False, []
    for path, content in module.params["contents"].items():
        wanted = str(content).encode()
        held = Path(path).read_bytes() if Path(path).is_file() else None
        if held != wanted:
            written.append(path)
            diffs.append({"before_header": path, "after_header": path,
                          "before": (held or b"").decode(errors="replace"), "after": wanted.decode()})
            if not module.check_mode:
                write(module, path, wanted)
        if os.path.exists(path):
            # Owner, group and mode, whether it was just written or not.
            attributes = module.load_file_common_arguments(module.params, path=path)
            changed = module.set_fs_attributes_if_different(attributes, changed)
    module.exit_json(changed=changed or bool(written), written=written, diff=diffs if module._diff else [])


def write(module: AnsibleModule, path: str, wanted: bytes) -> None:
    """Replace a file by one that holds `wanted`, if that is valid."""
    handle, draft = tempfile.mkstemp(dir=module.tmpdir)
    module.add_cleanup_file(draft)
    with os.fdopen(handle, "wb") as file:
        file.write(wanted)
    command = module.params["validate"].get(path)
    if command:
        code, out, err = module.run_command(shlex.split(command.replace("%s", shlex.quote(draft))))
        if code:
            module.fail_json(msg=f"{path} was not written: {command} says: {(out + err).strip()}", rc=code)
    module.atomic_move(draft, path)


if __name__ == "__main__":
    main()
