import type { Viewer } from '../access.ts'
import { PlatformError } from '../errors.ts'
import { ownTags } from '../following.ts'
import { chooseFollowed, fittingTags } from '../model/follow.ts'
import {
  type FollowPreview,
  type FollowPreviewInput,
  followPreviewSchema,
  shownTags,
} from '../model/follow-preview.ts'
import type { Platform } from '../open.ts'
import { projectAccess } from '../projects.ts'
import { countAttempt } from '../rate-limit.ts'
import { assertMayPull } from '../registry/may-pull.ts'
import { validate } from '../validate.ts'
import { asInvalid, RegistryProblem } from './problem.ts'
import { noteLoginResult, teamLogin } from './pull-login.ts'
import { listFitting, lookAtTags } from './tags.ts'

const looking = { name: 'follow-preview', limit: 60, windowSeconds: 300 }

/**
 * What an app of the project would get now if it followed this; nothing is changed. Throws `invalid` with the field where
 * the registry says no or does not answer.
 */
export async function previewFollow(
  platform: Platform,
  viewer: Viewer,
  projectId: string,
  input: FollowPreviewInput,
): Promise<FollowPreview> {
  const { teamId } = await projectAccess(platform, viewer, projectId, 'app.create')
  const { image, follow } = validate(followPreviewSchema, input)
  await assertMayPull(platform.db, platform.config, teamId, image)
  const own = await ownTags(platform, platform.db, teamId, image)
  if (own !== null) {
    const found = chooseFollowed(follow, own)
    return answer(
      true,
      found,
      fittingTags(follow, own).map(({ tag }) => tag),
    )
  }
  if (follow.by === 'pattern') throw patternElsewhere()
  await countAttempt(platform, looking, teamId)
  const login = await teamLogin(platform, teamId, image)
  const asked = { image, login, signal: AbortSignal.timeout(30_000) }
  try {
    const [found = null] = await lookAtTags(platform, asked, [follow])
    const fitting = follow.by === 'tag' ? found && [found.tag] : await listFitting(platform, asked, follow)
    return answer(false, found, fitting ?? [])
  } catch (error) {
    if (asked.signal.aborted)
      throw new PlatformError('unavailable', 'The registry does not answer. Try again in a moment.', {
        cause: error,
      })
    if (!(error instanceof RegistryProblem)) throw error
    if (error.kind === 'denied' && login !== null) await noteLoginResult(platform, login.id, error.message)
    throw asInvalid(error, 'image')
  }
}

function answer(
  isOwn: boolean,
  found: { tag: string; digest: string } | null,
  fitting: string[],
): FollowPreview {
  return {
    isOwn,
    tag: found?.tag ?? null,
    digest: found?.digest ?? null,
    fitting: fitting.slice(0, shownTags),
    fittingCount: fitting.length,
  }
}

function patternElsewhere(): PlatformError {
  const message = "can't be a pattern: a registry elsewhere does not say what was pushed last"
  const path = 'follow.value'
  return new PlatformError('invalid', `${path}: ${message}`, { fields: [{ path, message }] })
}
