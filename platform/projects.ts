import { notFound, type ProjectAction, requireProject, requireTeam, type Viewer } from './access.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import { publish, streams } from './event-log.ts'
import { newId } from './model/ids.ts'
import {
  type CreateProjectInput,
  createProjectSchema,
  type PageInput,
  type UpdateProjectInput,
  updateProjectSchema,
} from './model/inputs.ts'
import type { Page, Project } from './model/resources.ts'
import type { Role } from './model/roles.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { withFreeSlug } from './slugs.ts'
import { validate } from './validate.ts'
import { visibleIn } from './visible.ts'

const shown = {
  environments: { orderBy: { id: 'asc' }, select: { id: true, slug: true, name: true } },
  _count: { select: { apps: { where: { desiredState: { not: 'deleted' } } } } },
} as const

interface ProjectRow {
  id: string
  teamId: string
  slug: string
  name: string
  createdAt: Date
  environments: { id: string; slug: string; name: string }[]
  _count: { apps: number }
}

/** Oldest first. */
export async function listProjects(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  pageInput?: PageInput,
): Promise<Page<Project>> {
  await requireTeam(platform, viewer, teamId, 'project.read')
  const visible = await visibleIn(platform, viewer, teamId)
  const page = parsePage(pageInput)
  const rows = await platform.db.project.findMany({
    where: { AND: [visible.projects, { teamId, id: { gt: afterId(page) } }] },
    include: shown,
    orderBy: { id: 'asc' },
    take: page.limit + 1,
  })
  return toPage(
    rows,
    page.limit,
    (row) => row.id,
    (row) => showProject({ ...row, role: visible.roleAt(row.id) ?? 'viewer' }),
  )
}

export async function getProject(platform: Platform, viewer: Viewer, id: string): Promise<Project> {
  return showProject(await projectAccess(platform, viewer, id, 'project.read'))
}

/** Comes with an environment called production. */
export async function createProject(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: CreateProjectInput,
): Promise<Project> {
  const role = await requireTeam(platform, viewer, teamId, 'project.create')
  const { name, slug: wanted } = validate(createProjectSchema, input)
  const row = await withFreeSlug({
    wanted,
    name,
    kind: 'project',
    taken: async (beginning) => {
      const rows = await platform.db.project.findMany({
        where: { teamId, slug: { startsWith: beginning } },
        select: { slug: true },
      })
      return rows.map(({ slug }) => slug)
    },
    create: (slug) =>
      platform.db.$transaction(async (tx) => {
        const environment = { id: newId('environment'), slug: 'production', name: 'Production' }
        const project = await tx.project.create({
          data: { id: newId('project'), teamId, name, slug, environments: { create: environment } },
          include: shown,
        })
        await record(tx, viewer, {
          ...{ teamId, action: 'project.create', target: target(project) },
          after: { name, slug },
        })
        return project
      }),
  })
  await publish(platform, streams.team(teamId), { type: 'project', projectId: row.id })
  return showProject({ ...row, role })
}

export async function updateProject(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateProjectInput,
): Promise<Project> {
  const { teamId, role } = await projectAccess(platform, viewer, id, 'project.update')
  const { name } = validate(updateProjectSchema, input)
  const row = await platform.db.$transaction(async (tx) => {
    const old = await tx.project.findUniqueOrThrow({ where: { id }, select: { name: true } })
    const project = await tx.project.update({ where: { id }, data: { name }, include: shown })
    await record(tx, viewer, {
      ...{ teamId, action: 'project.update', target: target(project) },
      ...{ before: { name: old.name }, after: { name } },
    })
    return project
  })
  await publish(platform, streams.team(teamId), { type: 'project', projectId: id })
  return showProject({ ...row, role })
}

/** Throws `conflict` while it has apps, also such as are being deleted. */
export async function deleteProject(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const { teamId } = await projectAccess(platform, viewer, id, 'project.delete')
  await platform.db.$transaction(async (tx) => {
    // The lock keeps an app from being made here meanwhile.
    await tx.$executeRaw`SELECT 1 FROM projects WHERE id = ${id} FOR UPDATE`
    const project = await tx.project.findUnique({ where: { id } })
    if (project === null) throw notFound('project')
    const apps = await tx.app.count({ where: { projectId: id } })
    if (apps > 0) {
      const count = apps === 1 ? 'an app' : `${apps} apps`
      throw new PlatformError('conflict', `The project still has ${count}. Delete them first.`)
    }
    await tx.project.delete({ where: { id } })
    await record(tx, viewer, {
      ...{ teamId, action: 'project.delete', target: target(project) },
      before: { name: project.name, slug: project.slug },
    })
  })
  await publish(platform, streams.team(teamId), { type: 'project', projectId: id })
}

/** The project, if the caller may do this in its team. Throws `not-found` or `forbidden`. */
export async function projectAccess(
  platform: Platform,
  viewer: Viewer,
  id: string,
  action: ProjectAction,
): Promise<ProjectRow & { role: Role }> {
  const row = await platform.db.project.findUnique({ where: { id }, include: shown })
  if (row === null) throw notFound('project')
  const role = await requireProject(platform, viewer, { teamId: row.teamId, projectId: id }, action)
  return { ...row, role }
}

function target(project: { id: string; name: string }): { type: string; id: string; name: string } {
  return { type: 'project', id: project.id, name: project.name }
}

function showProject(row: ProjectRow & { role: Role }): Project {
  return {
    id: row.id,
    teamId: row.teamId,
    slug: row.slug,
    name: row.name,
    environments: row.environments.map(({ id, slug, name }) => ({ id, slug, name })),
    role: row.role,
    appCount: row._count.apps,
    createdAt: row.createdAt.toISOString(),
  }
}
