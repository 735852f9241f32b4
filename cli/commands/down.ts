/** `berth down`: stops the platform, and with --apps the apps before it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { operatorApi } from '../api.ts'
import { processStart } from '../processes.ts'
import { CommandError, say, stage } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'
import { endLeftParts, liveInstance, removeInstance } from '../supervisor/instance.ts'
import { stopApps } from './stop-apps.ts'

const stopWithinMs = 90_000

export async function down(options: HomeOptions & { apps?: boolean }): Promise<void> {
  const home = homeFolder(options)
  const settings = mustHaveSettings(home)
  const instance = liveInstance(home)
  if (!instance) {
    const left = await endLeftParts(home)
    removeInstance(home)
    say(
      left.length > 0
        ? `ended what a killed Berth left running: ${left.join(', ')}`
        : `Berth does not run in ${home}.`,
    )
    if (options.apps)
      throw new CommandError(
        'Apps are stopped by the platform: start it with `berth up`, then `berth down --apps`.',
      )
    return
  }
  if (options.apps) await stage('stopping apps', (note) => stopApps(operatorApi(home, settings), note))
  await stage('stopping the platform', async () => {
    process.kill(instance.pid, 'SIGTERM')
    const deadline = Date.now() + stopWithinMs
    while (processStart(instance.pid) === instance.start) {
      if (Date.now() > deadline)
        throw new CommandError(`It did not stop within ${stopWithinMs / 1_000} s: see \`berth logs\`.`)
      await sleep(50)
    }
    // One that was just beginning anew had left its edge.
    await endLeftParts(home)
    removeInstance(home)
  })
}
