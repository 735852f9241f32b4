/** `berth restart`: the platform starts anew, with what lies in the checkout now, and apps lose no request. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processStart } from '../processes.ts'
import { CommandError, say, stage } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'
import { liveInstance, readInstance } from '../supervisor/instance.ts'

export async function restart(options: HomeOptions): Promise<void> {
  const home = homeFolder(options)
  mustHaveSettings(home)
  const before = liveInstance(home)
  if (before === null) throw new CommandError(`Berth does not run in ${home}: start it with \`berth up\`.`)
  if (before.state !== 'ready') throw new CommandError(`Berth is ${before.state} in ${home}: wait for it.`)
  const lines = await stage('the platform starts anew; apps are served on', async () => {
    process.kill(before.pid, 'SIGUSR2')
    for (;;) {
      await sleep(100)
      // The process stays the same one: it executes itself anew.
      if (processStart(before.pid) !== before.start)
        throw new CommandError(
          `Berth did not start again; apps are served on. Its log is ${join(home, 'logs', 'berth.log')}, or what started it has it. Mend it, then \`berth up --home ${home}\`.`,
        )
      const now = readInstance(home)
      if (now?.state === 'ready' && now.startedAt !== before.startedAt) return now.lines ?? []
    }
  })
  say(['', ...lines, ''].join('\n'))
}
