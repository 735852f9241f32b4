import type { Viewer } from '../access.ts'
import { appAccess } from '../app-access.ts'
import { lockApp } from '../app-lock.ts'
import { effectiveVariables, sealForDeployment } from '../effective-variables.ts'
import { PlatformError } from '../errors.ts'
import { appSettingsSchema } from '../model/app-settings.ts'
import { buildSettingsSchema, type UploadFormat } from '../model/builds.ts'
import type { Deployment } from '../model/resources.ts'
import type { Platform } from '../open.ts'
import { queueDeployment } from '../queue-deployment.ts'
import { validate } from '../validate.ts'
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
    return await queueDeployment(platform, viewer, place, async (tx, id) => {
      const app = await lockApp(tx, appId)
      const settings = appSettingsSchema.parse(app.settings)
      const args = { ...settings.build?.args, ...given.args }
      const build = buildSettingsSchema.parse({ ...settings.build, ...change, args })
      await tx.app.update({ where: { id: appId }, data: { settings: { ...settings, build } } })
      const team = await tx.team.findUniqueOrThrow({
        where: { id: place.teamId },
        select: { imageNamespace: true },
      })
      const { _max } = await tx.deployment.aggregate({ where: { appId }, _max: { number: true } })
      const repository = `${team.imageNamespace}/${app.slug}`
      const image = `${platform.config.registryHost}/${repository}:build-${(_max.number ?? 0) + 1}`
      const variables = sealForDeployment(platform, id, await effectiveVariables(platform, tx, app))
      return {
        trigger: viewer.kind === 'user' ? 'manual' : 'api',
        toNumber: null,
        imageDigest: null,
        snapshot: {
          settings: { ...settings, build, image, follow: null },
          variablesVersion: app.variablesVersion,
          variables,
          followed: null,
        },
        build: { source: { kind: 'upload' }, format, ...source },
      }
    })
  } catch (error) {
    await dropUpload(platform.config, source.sourceFile)
    throw error
  }
}
