/** `berth engine …`: the engine of this host, with the words and flags that Docker's users know. */
import { Command } from 'commander'
import { addArchiveCommands } from './archives.ts'
import { addContainerCommands } from './containers.ts'
import { addCopyCommands } from './copy.ts'
import { addDiskCommands } from './disk.ts'
import { addExecCommand } from './exec.ts'
import { addImageCommands } from './images.ts'
import { addListCommand } from './list.ts'
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
  return engine
}
