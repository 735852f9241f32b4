/** `berth engine …`: the engine of this host, with the words and flags that Docker's users know. */
import { Command } from 'commander'
import { CommandError } from '../say.ts'
import { addArchiveCommands } from './archives.ts'
import { addContainerCommands } from './containers.ts'
import { addCopyCommands } from './copy.ts'
import { addDiskCommands } from './disk.ts'
import { addExecCommand } from './exec.ts'
import { addImageCommands } from './images.ts'
import { addListCommand } from './list.ts'
import { longerNames } from './longer-names.ts'
import { addNetworkCommands } from './networks.ts'
import { addStatsCommands } from './stats.ts'
import { addSystemCommands } from './system.ts'
import { addVolumeCommands } from './volumes.ts'

export const engineSummary = 'the container engine of this host: images, containers, networks'

export function engineCommand(): Command {
  const engine = new Command('engine')
    .description(`${engineSummary}. For operators: it asks the running worker, as root.`)
    .showHelpAfterError()
  addContainerCommands(engine)
  addListCommand(engine)
  addExecCommand(engine)
  addCopyCommands(engine)
  addStatsCommands(engine)
  addImageCommands(engine)
  addArchiveCommands(engine)
  addDiskCommands(engine)
  addNetworkCommands(engine)
  addVolumeCommands(engine)
  addSystemCommands(engine)
  for (const [kind, names] of Object.entries(longerNames)) addKind(engine, kind, Object.keys(names))
  return engine
}

/** What can be said of a kind is made a short name before it comes here. */
function addKind(engine: Command, kind: string, names: string[]): void {
  const known = `${kind} ${names.join(', ')}`
  engine
    .command(kind)
    .description(`the same by Docker's longer names: ${kind} ${names[0]} …`)
    .argument('[command...]')
    .allowUnknownOption()
    .action(([name]: string[]) => {
      const said = name === undefined ? '' : `There is no ${kind} ${name}. `
      throw new CommandError(`${said}There is ${known}.`)
    })
}
