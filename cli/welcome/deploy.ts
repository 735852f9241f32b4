/** Deploys the welcome app through the same API, queue, worker and engine as any other image. */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../platform/config.ts'
import type { App, Deployment, Page, Project, Team } from '../../platform/model/resources.ts'
import type { Api } from '../api.ts'
import { CommandError } from '../say.ts'
import { readSecret } from '../settings.ts'
import { pushWelcome, welcomeImage } from './image.ts'

const teamSlug = 'main'
const liveWithinMs = 120_000

/** Answers the app's address. Whatever of it is there already is used. */
export async function deployWelcome(
  api: Api,
  home: string,
  env: Record<string, string>,
  note: (text: string) => void,
): Promise<string> {
  const config = loadConfig(env)
  const team = await findOr<Team>(api, '/teams', ({ slug }) => slug === teamSlug, {
    name: 'Main',
    slug: teamSlug,
  })
  const project = await findOr<Project>(api, `/teams/${team.id}/projects`, ({ slug }) => slug === 'welcome', {
    name: 'Welcome',
    slug: 'welcome',
  })
  note('pushing its image')
  await pushWelcome(await welcomeImage(), {
    config,
    username: 'operator',
    password: readSecret(home, 'operator.token'),
    repository: `${teamSlug}/welcome`,
    tag: 'latest',
  })
  const app = await findOr<App>(api, `/projects/${project.id}/apps`, ({ slug }) => slug === 'welcome', {
    name: 'Welcome',
    slug: 'welcome',
    settings: {
      image: `${config.registryHost}/${teamSlug}/welcome:latest`,
      limits: { memoryBytes: 32 * 2 ** 20, cpuMillis: 500, pids: 64 },
      stopGraceMs: 2_000,
    },
  })
  const { id } = await api.post<Deployment>(`/apps/${app.id}/deployments`)
  const deadline = Date.now() + liveWithinMs
  for (;;) {
    const deployment = await api.get<Deployment>(`/deployments/${id}`)
    note(deployment.status)
    if (deployment.status === 'live') return app.urls[0] ?? ''
    if (deployment.status === 'failed' || deployment.status === 'canceled')
      throw new CommandError(
        `The welcome app did not go live: ${deployment.failure?.message ?? deployment.status}`,
      )
    if (Date.now() > deadline)
      throw new CommandError(`The welcome app is still ${deployment.status} after two minutes.`)
    await sleep(100)
  }
}

async function findOr<T>(api: Api, path: string, isIt: (item: T) => boolean, body: unknown): Promise<T> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page<T> = await api.get(
      `${path}?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
    )
    const found = page.data.find(isIt)
    if (found) return found
    cursor = page.nextCursor
  }
  return api.post<T>(path, body)
}

/** The welcome app's address if it is still there. */
export async function welcomeAddress(api: Api): Promise<string | null> {
  const teams = await api.get<Page<Team>>('/teams?limit=100')
  const team = teams.data.find(({ slug }) => slug === teamSlug)
  if (!team) return null
  const apps = await api.get<Page<App>>(`/teams/${team.id}/apps?limit=100`)
  return apps.data.find(({ slug }) => slug === 'welcome')?.urls[0] ?? null
}
