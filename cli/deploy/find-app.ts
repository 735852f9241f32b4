/** Which app is meant by what a person types: team/project/app, project/app, or just app. */
import type { App, Project, Team } from '../../platform/model/resources.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../say.ts'

interface Page<T> {
  data: T[]
  nextCursor: string | null
}

export interface FoundApp {
  app: App
  /** team/project/app */
  path: string
}

class NoSuchApp extends CommandError {}

/** Without a name: the only one there is. Throws CommandError naming what there is. */
export async function findApp(client: Client, name: string | undefined): Promise<FoundApp> {
  const parts = name?.split('/') ?? []
  if (name !== undefined && (parts.length > 3 || parts.some((part) => !/^[a-z0-9][a-z0-9-]*$/.test(part))))
    throw new CommandError(
      `${JSON.stringify(name)} names no app: write app, project/app or team/project/app.`,
    )
  const [slug, projectSlug, teamSlug] = [...parts].reverse()
  const teams = await teamsOf(client, teamSlug)
  const found: FoundApp[] = []
  const seen: string[] = []
  for (const team of teams) {
    const projects = new Map(
      (await all<Project>(client, `/teams/${team.id}/projects`)).map((project) => [project.id, project.slug]),
    )
    for (const app of await all<App>(client, `/teams/${team.id}/apps`)) {
      const path = `${team.slug}/${projects.get(app.projectId) ?? ''}/${app.slug}`
      seen.push(path)
      const isAsked =
        (slug === undefined || app.slug === slug) &&
        (projectSlug === undefined || projects.get(app.projectId) === projectSlug)
      if (isAsked) found.push({ app, path })
    }
  }
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  if (found.length > 1) {
    const why = name === undefined ? 'There are several apps' : `${name} is the name of several apps`
    throw new CommandError(`${why}: say which with --app, such as${list(found.map(({ path }) => path))}`)
  }
  throw new NoSuchApp(
    seen.length === 0
      ? `There is no app that you see at ${client.url}. Make one with --create --app project/app.`
      : `There is no app ${name ?? ''} that you see at ${client.url}. There is${list(seen)}`,
  )
}

/** A line each, of the first ones. */
export function list(paths: string[]): string {
  return paths
    .slice(0, 20)
    .map((path) => `\n  ${path}`)
    .join('')
}

/** The one of that name, made where there is none; its project must be there. */
export async function findOrMakeApp(
  client: Client,
  name: string | undefined,
): Promise<FoundApp & { isNew: boolean }> {
  const parts = name?.split('/') ?? []
  const [slug, projectSlug, teamSlug] = [...parts].reverse()
  if (slug === undefined || projectSlug === undefined)
    throw new CommandError('To make an app, name its project too: --app project/app, or team/project/app.')
  const known = await findApp(client, name).catch((error) => {
    if (error instanceof NoSuchApp) return null
    throw error
  })
  if (known !== null) return { ...known, isNew: false }
  const places = await projectsOf(client, teamSlug)
  const [place, another] = places.filter(({ project }) => project.slug === projectSlug)
  if (place === undefined || another !== undefined)
    throw new CommandError(
      place === undefined
        ? `There is no project ${projectSlug} that you see: make it in the dashboard first.`
        : `${projectSlug} is the name of several projects: write team/project/app.`,
    )
  const app = await client.post<App>(`/projects/${place.project.id}/apps`, { name: slug, slug, settings: {} })
  return { app, path: `${place.path}/${app.slug}`, isNew: true }
}

/** Those that one sees, of a team or of all of one's teams, each with its team/project. */
export async function projectsOf(
  client: Client,
  teamSlug: string | undefined,
): Promise<{ project: Project; path: string }[]> {
  const places = (await teamsOf(client, teamSlug)).map(async (team) =>
    (await all<Project>(client, `/teams/${team.id}/projects`)).map((project) => ({
      project,
      path: `${team.slug}/${project.slug}`,
    })),
  )
  return (await Promise.all(places)).flat()
}

async function teamsOf(client: Client, slug: string | undefined): Promise<Team[]> {
  return slug === undefined ? all<Team>(client, '/teams') : [await teamOf(client, slug)]
}

async function teamOf(client: Client, slug: string): Promise<Team> {
  return client.get<Team>(`/teams/${encodeURIComponent(slug)}`)
}

async function all<T>(client: Client, path: string): Promise<T[]> {
  const rows: T[] = []
  let cursor: string | null = null
  do {
    const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: Page<T> = await client.get<Page<T>>(`${path}?limit=100${from}`)
    rows.push(...page.data)
    cursor = page.nextCursor
  } while (cursor !== null)
  return rows
}
