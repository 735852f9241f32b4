import 'server-only'
import { headers } from 'next/headers'
import { notFound, redirect } from 'next/navigation'
import { cache } from 'react'
import { listTeamAlerts } from '@/platform/alerts/current.ts'
import { PlatformError } from '@/platform/errors.ts'
import { getHost } from '@/platform/host-admin.ts'
import type { Team } from '@/platform/model/resources.ts'
import { findApp, findDeployment, findProject } from '@/platform/places.ts'
import { findRepository } from '@/platform/repositories.ts'
import { findRun } from '@/platform/runs.ts'
import { listDeletedTeams } from '@/platform/team-deletion.ts'
import { getTeam, listTeams } from '@/platform/teams.ts'
import { getUser } from '@/platform/users.ts'
import { getPlatform } from '../_server/platform.ts'
import { safeNext } from '../_server/safe-next.ts'
import { requireViewer } from '../_server/session.ts'

/** Platform and viewer of the request; leads to the sign-in page where nobody is signed in. */
export const enter = cache(async () => {
  const [platform, viewer] = await Promise.all([getPlatform(), requireViewer()])
  return { platform, viewer }
})

// What addresses name. Each is read once for a request, and before anything streams, so that what is missing is a 404.

export const loadUser = cache(async () => {
  const { platform, viewer } = await enter()
  return getUser(platform, viewer)
})

/** For administrators of the installation. */
export const loadHost = cache(async (id: string) => {
  const { platform, viewer } = await enter()
  return orNotFound(getHost(platform, viewer, id))
})

export const loadTeams = cache(async (): Promise<Team[]> => {
  const { platform, viewer } = await enter()
  return (await listTeams(platform, viewer, { limit: 100 })).data
})

export const loadDeletedTeams = cache(async () => {
  const { platform, viewer } = await enter()
  return listDeletedTeams(platform, viewer)
})

/** Without those that ask for a second factor of somebody who has none: nothing of them can be shown. */
export const loadOpenTeams = cache(async (): Promise<Team[]> => {
  const [teams, user] = await Promise.all([loadTeams(), loadUser()])
  return teams.filter((team) => user.hasTwoFactor || !team.requiresTwoFactor)
})

export const loadTeam = cache(async (slug: string) => {
  const { platform, viewer } = await enter()
  const team = await orNotFound(getTeam(platform, viewer, slug).catch(leadToSetUp(slug)))
  // A former address leads to the same page at the present one.
  if (team.slug !== slug) redirect(await samePageAt(team.slug))
  return team
})

/** How many alerts fire, by the ids of the team's apps, and by those of its projects. */
export const loadFiring = cache(async (teamId: string): Promise<ReadonlyMap<string, number>> => {
  const { platform, viewer } = await enter()
  const counts = new Map<string, number>()
  for (const { app, state } of await listTeamAlerts(platform, viewer, teamId))
    if (app !== null && state === 'firing')
      for (const id of [app.id, app.projectId]) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
})

/** Where a team asks for a second factor, its pages lead to where one is set up. */
function leadToSetUp(slug: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof PlatformError && error.code === 'second-factor-needed')
      redirect(`/account?team=${encodeURIComponent(slug)}`)
    throw error
  }
}

async function samePageAt(slug: string): Promise<string> {
  const path = (await headers()).get('x-berth-path') ?? '/'
  return safeNext(path.replace(/^\/[^/?]*/, `/${slug}`))
}

export const loadProject = cache(async (teamSlug: string, slug: string) => {
  const { platform, viewer } = await enter()
  const team = await loadTeam(teamSlug)
  return { team, project: await orNotFound(findProject(platform, viewer, team.id, slug)) }
})

export const loadApp = cache(async (teamSlug: string, projectSlug: string, slug: string) => {
  const { platform, viewer } = await enter()
  const { team, project } = await loadProject(teamSlug, projectSlug)
  const app = await orNotFound(findApp(platform, viewer, project.id, slug))
  return { team, project, app, path: `/${team.slug}/${project.slug}/${app.slug}` }
})

export const loadDeployment = cache(
  async (teamSlug: string, projectSlug: string, appSlug: string, number: string) => {
    const { platform, viewer } = await enter()
    const place = await loadApp(teamSlug, projectSlug, appSlug)
    const asked = /^[1-9]\d{0,9}$/.test(number) ? Number(number) : 0
    return { ...place, deployment: await orNotFound(findDeployment(platform, viewer, place.app.id, asked)) }
  },
)

export const loadRun = cache(
  async (teamSlug: string, projectSlug: string, appSlug: string, number: string) => {
    const { platform, viewer } = await enter()
    const place = await loadApp(teamSlug, projectSlug, appSlug)
    const asked = /^[1-9]\d{0,8}$/.test(number) ? Number(number) : 0
    return { ...place, run: await orNotFound(findRun(platform, viewer, place.app.id, asked)) }
  },
)

export const loadRepository = cache(async (teamSlug: string, name: string[]) => {
  const { platform, viewer } = await enter()
  const team = await loadTeam(teamSlug)
  const path = name.map(decodeURIComponent).join('/')
  return { team, repository: await orNotFound(findRepository(platform, viewer, team.id, path)) }
})

async function orNotFound<Found>(asked: Promise<Found>): Promise<Found> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'not-found') notFound()
    throw error
  }
}
