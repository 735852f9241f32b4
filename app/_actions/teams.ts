'use server'

import type {
  ChangeProjectAccessInput,
  CreateProjectInput,
  CreateTeamInput,
  UpdateProjectInput,
} from '@/platform/model/inputs.ts'
import type { ChangeQuotaInput } from '@/platform/model/quotas.ts'
import { changeProjectAccess } from '@/platform/project-access.ts'
import { createProject, deleteProject, updateProject } from '@/platform/projects.ts'
import { deleteTeam, restoreTeam } from '@/platform/team-deletion.ts'
import { changeQuota } from '@/platform/team-use.ts'
import { createTeam, getTeam, renameTeam } from '@/platform/teams.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

/** Answers the team's page. */
export async function createTeamAction(input: CreateTeamInput): Promise<ActionResult<{ path: string }>> {
  return run(async (platform, viewer) => {
    const { slug } = await createTeam(platform, viewer, input)
    return { path: `/${slug}` }
  })
}

/** Answers the team's page at its new address. */
export async function moveTeamAction(teamId: string, slug: string): Promise<ActionResult<{ path: string }>> {
  return run(async (platform, viewer) => {
    const team = await renameTeam(platform, viewer, asId(teamId), { slug })
    return { path: `/${team.slug}` }
  })
}

export async function deleteTeamAction(teamId: string, confirm: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteTeam(platform, viewer, asId(teamId), { confirm })
    return null
  })
}

/** Answers the team's page. */
export async function restoreTeamAction(teamId: string): Promise<ActionResult<{ path: string }>> {
  return run(async (platform, viewer) => {
    const { slug } = await restoreTeam(platform, viewer, asId(teamId))
    return { path: `/${slug}` }
  })
}

export async function changeQuotaAction(teamId: string, input: ChangeQuotaInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await changeQuota(platform, viewer, asId(teamId), input)
    return null
  })
}

export async function changeProjectAccessAction(
  projectId: string,
  userId: string,
  input: ChangeProjectAccessInput,
): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await changeProjectAccess(platform, viewer, asId(projectId), asId(userId), input)
    return null
  })
}

export async function renameTeamAction(teamId: string, name: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await renameTeam(platform, viewer, asId(teamId), { name })
    return null
  })
}

/** Answers the project's page. */
export async function createProjectAction(
  teamId: string,
  input: CreateProjectInput,
): Promise<ActionResult<{ path: string }>> {
  return run(async (platform, viewer) => {
    const team = await getTeam(platform, viewer, asId(teamId))
    const project = await createProject(platform, viewer, team.id, input)
    return { path: `/${team.slug}/${project.slug}` }
  })
}

export async function renameProjectAction(
  projectId: string,
  input: UpdateProjectInput,
): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await updateProject(platform, viewer, asId(projectId), input)
    return null
  })
}

export async function deleteProjectAction(projectId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteProject(platform, viewer, asId(projectId))
    return null
  })
}
