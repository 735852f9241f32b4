'use server'

import type { CreateProjectInput, CreateTeamInput, UpdateProjectInput } from '@/platform/model/inputs.ts'
import { createProject, deleteProject, updateProject } from '@/platform/projects.ts'
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
