import { requireTeam, type Viewer } from './access.ts'
import type { Platform } from './open.ts'
import { visibleIn } from './visible.ts'

interface Named {
  id: string
  name: string
}

export interface ProjectPlaces extends Named {
  environments: Named[]
  apps: Named[]
}

/** Everything of a team that something can be for, by name: its projects, their environments and apps, however many. */
export async function listPlaces(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
): Promise<ProjectPlaces[]> {
  await requireTeam(platform, viewer, teamId, 'app.read')
  const visible = await visibleIn(platform, viewer, teamId)
  const named = { select: { id: true, name: true }, orderBy: { id: 'asc' } } as const
  return platform.db.project.findMany({
    where: { AND: [{ teamId }, visible.projects] },
    select: { id: true, name: true, environments: named, apps: { ...named, where: visible.apps } },
    orderBy: { id: 'asc' },
  })
}
