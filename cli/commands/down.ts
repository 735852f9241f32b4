/** `berth down`: stops the platform, and with --apps the apps before it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { App, Page, Team } from '../../platform/model/resources.ts'
import { type Api, operatorApi } from '../api.ts'
import { processStart } from '../processes.ts'
import { CommandError, say, stage } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'
import { endLeftParts, liveInstance, removeInstance } from '../supervisor/instance.ts'

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
  })
}

async function stopApps(api: Api, note: (text: string) => void): Promise<void> {
  for (const app of await allApps(api)) {
    if (app.desiredState !== 'running') continue
    note(app.name)
    await api.post(`/apps/${app.id}/stop`)
  }
  const deadline = Date.now() + stopWithinMs
  for (;;) {
    const apps = await allApps(api)
    const running = apps.filter(({ containers }) => containers.some(({ state }) => state === 'running'))
    if (running.length === 0) return
    note(running.map(({ name }) => name).join(', '))
    if (Date.now() > deadline)
      throw new CommandError(
        `These apps did not stop in time: ${running.map(({ name }) => name).join(', ')}. The dashboard says more.`,
      )
    await sleep(100)
  }
}

async function allApps(api: Api): Promise<App[]> {
  const teams = await everything<Team>(api, '/teams')
  return (await Promise.all(teams.map(({ id }) => everything<App>(api, `/teams/${id}/apps`)))).flat()
}

async function everything<T>(api: Api, path: string): Promise<T[]> {
  const all: T[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const after: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''
    const page: Page<T> = await api.get(`${path}?limit=100${after}`)
    all.push(...page.data)
    cursor = page.nextCursor
  }
  return all
}
