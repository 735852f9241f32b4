import type { Viewer } from '../access.ts'
import { appAccess } from '../app-access.ts'
import { PlatformError } from '../errors.ts'
import { buildSettingsSchema, type UploadFormat } from '../model/builds.ts'
import type { Deployment } from '../model/resources.ts'
import type { Platform } from '../open.ts'
import { queueDeployment } from '../queue-deployment.ts'
import { validate } from '../validate.ts'
import { planBuild } from './plan-build.ts'
import { dropUpload, storeUpload } from './uploads.ts'

export interface CreateBuildInput {
  /** Null: it is none of them. */
  format: UploadFormat | null
  body: ReadableStream<Uint8Array> | null
  /** Instead of what the app's settings say, for this and later builds. */
  folder?: string
  dockerfile?: string
  target?: string
  /** Beside the settings' own; those of the same name are replaced. */
  args?: Record<string, string>
}

/**
 * Takes in an archive of source, and records a deployment of the image that it will become: built, pushed to the team's
 * repository and deployed by the app's host. From now on the app is one that is built. Throws what storeUpload() and
 * createDeployment() throw.
 */
export async function createBuild(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  { format, body, ...given }: CreateBuildInput,
): Promise<Deployment> {
  const place = await appAccess(platform, viewer, appId, 'deployment.create')
  if (format === null)
    throw new PlatformError(
      'bad-request',
      'The body must be an archive, and say which: application/x-tar, application/gzip or application/zip.',
    )
  const change = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  validate(buildSettingsSchema, change)
  const source = await storeUpload(platform.config, body, format)
  try {
    return await queueDeployment(platform, viewer, place, (tx, id) =>
      planBuild(platform, tx, id, {
        ...{ appId, teamId: place.teamId, change },
        trigger: viewer.kind === 'user' ? 'manual' : 'api',
        build: { source: { kind: 'upload' }, format, ...source },
      }),
    )
  } catch (error) {
    await dropUpload(platform.config, source.sourceFile)
    throw error
  }
}
