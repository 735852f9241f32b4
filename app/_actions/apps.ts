'use server'

import { createApp, deleteApp, startApp, stopApp, updateApp } from '@/platform/apps.ts'
import { createDeployment } from '@/platform/deployments.ts'
import { discardChanges } from '@/platform/discard-changes.ts'
import { PlatformError } from '@/platform/errors.ts'
import type { ProcessSettingsInput } from '@/platform/model/app-settings.ts'
import { type CreateAppInput, createAppSchema, type UpdateAppInput } from '@/platform/model/inputs.ts'
import type { DiscardChangesInput } from '@/platform/model/pending-changes.ts'
import type { Project } from '@/platform/model/resources.ts'
import type { ScaleAppInput } from '@/platform/model/scale.ts'
import { putProcess, removeProcess } from '@/platform/processes.ts'
import { createProject, getProject, listProjects } from '@/platform/projects.ts'
import { scaleApp } from '@/platform/scale.ts'
import { getTeam } from '@/platform/teams.ts'
import { validate } from '@/platform/validate.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export interface DeployImageInput {
  teamId: string
  /** Null: a new project of this name. */
  projectId: string | null
  projectName: string
  app: Omit<CreateAppInput, 'environment' | 'slug'>
}

/**
 * Makes the app, in a new project where asked for, and its first deployment, unless it has no image yet: then its source
 * comes first. Answers the app's page.
 */
export async function deployImageAction(input: DeployImageInput): Promise<ActionResult<{ path: string }>> {
  return run(async (platform, viewer) => {
    const team = await getTeam(platform, viewer, asId(input.teamId))
    // Before anything is made: a mistake must not leave an empty project behind.
    validate(createAppSchema, input.app)
    let project: Project
    if (input.projectId !== null) {
      project = await getProject(platform, viewer, asId(input.projectId))
    } else {
      // Who sends the form again after a problem may have made the project already.
      const { data } = await listProjects(platform, viewer, team.id, { limit: 100 })
      const same = data.find(({ name }) => name === input.projectName)
      project =
        same ??
        (await asField('projectName', () =>
          createProject(platform, viewer, team.id, { name: input.projectName }),
        ))
    }
    const app = await createApp(platform, viewer, project.id, input.app)
    if (input.app.settings.image !== undefined)
      await createDeployment(platform, viewer, app.id, { trigger: 'manual' })
    return { path: `/${team.slug}/${project.slug}/${app.slug}` }
  })
}

/** Says of a mistake in a name that it is in this field of the form. */
async function asField<Made>(path: string, make: () => Promise<Made>): Promise<Made> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error
    throw new PlatformError(error.code, error.message, {
      fields: error.fields.map(({ message }) => ({ path, message })),
      cause: error,
    })
  }
}

export async function updateAppAction(appId: string, input: UpdateAppInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await updateApp(platform, viewer, asId(appId), input)
    return null
  })
}

export async function scaleAppAction(appId: string, input: ScaleAppInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await scaleApp(platform, viewer, asId(appId), input)
    return null
  })
}

export async function putProcessAction(
  appId: string,
  name: string,
  input: ProcessSettingsInput,
): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await putProcess(platform, viewer, asId(appId), asId(name), input)
    return null
  })
}

export async function removeProcessAction(appId: string, name: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await removeProcess(platform, viewer, asId(appId), asId(name))
    return null
  })
}

export async function discardChangesAction(appId: string, input: DiscardChangesInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await discardChanges(platform, viewer, asId(appId), input)
    return null
  })
}

export async function stopAppAction(appId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await stopApp(platform, viewer, asId(appId))
    return null
  })
}

export async function startAppAction(appId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await startApp(platform, viewer, asId(appId))
    return null
  })
}

export async function deleteAppAction(appId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteApp(platform, viewer, asId(appId))
    return null
  })
}
