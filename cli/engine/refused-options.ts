/** Flags of Docker that ask for what there is not here on purpose: each is answered by why, and what to do instead. */
import type { Command } from 'commander'
import { Option } from 'commander'
import { CommandError } from '../say.ts'

const own =
  'A container has namespaces of its own here; none is shared with the host or with another container.'
const names =
  'Names in a network are given by --name and --network-alias, and resolved by its own name server.'

const refused: Record<string, string> = {
  '--privileged': 'There is no privileged mode: a container can have no power over the host.',
  '--cap-add <name>':
    'Capabilities are only taken away (--cap-drop): every container has the usual ones, in a user namespace.',
  '--device <device>': 'Devices of the host are not given to containers.',
  '--gpus <gpus>': 'Devices of the host are not given to containers.',
  '--pid <mode>': own,
  '--ipc <mode>': own,
  '--uts <mode>': own,
  '--userns <mode>': own,
  '--cgroupns <mode>': own,
  '--sysctl <name=value>': 'Settings of the kernel can’t be changed for one container here.',
  '--security-opt <option>':
    'The seccomp profile and no-new-privileges are on for every container, and stay on.',
  '--add-host <host:ip>': names,
  '--dns <address>': names,
  '--link <container>': names,
  '--ip <address>': 'An address is leased by the network; reach a container by its name.',
  '--volumes-from <container>': 'Name the volumes: -v NAME:/PATH.',
  '-P, --publish-all': 'Name the ports: -p HOST_PORT:CONTAINER_PORT.',
  '--log-driver <name>': 'Output is always kept in files of the host: see --log-opt and `logs`.',
}

export function withRefusedOptions(command: Command): Command {
  return withRefused(command, refused)
}

/** @param reasons by the flags that are refused */
export function withRefused(command: Command, reasons: Record<string, string>): Command {
  for (const [flags, reason] of Object.entries(reasons)) {
    const option = new Option(flags).hideHelp()
    command.addOption(option)
    command.on(`option:${option.name()}`, () => {
      throw new CommandError(`${option.long}: ${reason}`, { exitCode: 125 })
    })
  }
  return command
}
