/** Stops every app through the API, and waits until none of their containers runs. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { App, Page, Team } from '../../platform/model/resources.ts'
import type { Api } from '../api.ts'
import { CommandError } from '../say.ts'

const stopWithinMs = 90_000

export async function stopApps(api: Api, note: (text: string) => void): Promise<void> {
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
