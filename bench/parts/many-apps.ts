import { setTimeout as sleep } from 'node:timers/promises'
import { mustHaveSettings, partEnvironment } from '../../cli/settings.ts'
import { type Database, openDatabase } from '../../platform/database.ts'
import type { BenchContext } from '../bench.ts'
import { forEachAtOnce } from './at-once.ts'
import type { BerthInstallation } from './installation.ts'

const inProject = 50
const atOnce = 8

export interface ManyApps {
  /** Slug of the project that was made first. */
  project: string
  /** The first of its apps. */
  app: { id: string; name: string }
}

/**
 * A team's apps, fifty in each project, made by the API. Each gets four deployments in the database, the last one live,
 * and is stopped: so its history and what runs are read as always, and no container is started.
 */
export async function makeApps(
  { api, home, host, team, teamId }: BerthInstallation,
  count: number,
  { signal, note }: BenchContext,
): Promise<ManyApps> {
  note(`making ${count} apps`)
  const settings = { image: `${host}/${team}/none:1`, port: 8080 }
  const made: { id: string; name: string }[] = []
  let first = ''
  while (made.length < count) {
    const name = `Project ${made.length / inProject + 1}`
    const project = await api.post<{ id: string; slug: string }>(`/teams/${teamId}/projects`, { name })
    first ||= project.slug
    const names = Array.from(
      { length: Math.min(inProject, count - made.length) },
      (_, index) => `service ${made.length + index + 1}`,
    )
    await forEachAtOnce(atOnce, names, async (name) => {
      signal.throwIfAborted()
      made.push(await api.post(`/projects/${project.id}/apps`, { name, settings }))
    })
  }
  // Ids sort by time: lists begin with it.
  const [app] = made.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  if (app === undefined) throw new Error('no app was asked for')
  await failToDeploy(api, app.id, signal)
  const { DATABASE_URL = '' } = partEnvironment(home, mustHaveSettings(home))
  const db = openDatabase(DATABASE_URL)
  try {
    await giveHistories(db, teamId, app.id)
  } finally {
    await db.$disconnect()
  }
  return { project: first, app }
}

/** The image is not there. What is recorded of the deployment is the model of all others. */
async function failToDeploy(
  api: BerthInstallation['api'],
  appId: string,
  signal: AbortSignal,
): Promise<void> {
  await api.post(`/apps/${appId}/deployments`)
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100, undefined, { signal })) {
    const { data } = await api.get<{ data: { status: string }[] }>(`/apps/${appId}/deployments`)
    if (data[0]?.status === 'failed') return
  }
  throw new Error('a deployment of an image that is not there did not fail')
}

async function giveHistories(db: Database, teamId: string, modelAppId: string): Promise<void> {
  await db.$executeRaw`
    INSERT INTO deployments (id, "appId", number, status, trigger, "imageRef", snapshot, "createdAt", "startedAt",
      "liveAt", "finishedAt")
    SELECT 'dep_' || substr(md5(apps.id || own.number), 1, 26), apps.id, own.number,
      (CASE own.number WHEN 5 THEN 'live' ELSE 'superseded' END)::"DeploymentStatus", model.trigger, model."imageRef",
      model.snapshot, model."createdAt", model."startedAt", model."finishedAt", model."finishedAt"
    FROM apps JOIN projects ON projects.id = apps."projectId"
    CROSS JOIN generate_series(2, 5) AS own(number)
    CROSS JOIN (SELECT * FROM deployments WHERE "appId" = ${modelAppId}) AS model
    WHERE projects."teamId" = ${teamId}`
  await db.$executeRaw`
    UPDATE apps SET "desiredState" = 'stopped', "liveDeploymentId" = deployments.id
    FROM deployments, projects
    WHERE deployments."appId" = apps.id AND deployments.number = 5
      AND projects.id = apps."projectId" AND projects."teamId" = ${teamId}`
}
