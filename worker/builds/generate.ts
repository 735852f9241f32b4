/** A Dockerfile for source that has none. */
import { BuildFailure, type BuildSpec } from '../../engine/index.ts'
import { detect, lookedFor } from '../../platform/builds/detect/detect.ts'
import { NotBuildable } from '../../platform/builds/detect/source-view.ts'
import type { Platform } from '../../platform/open.ts'
import { recordGenerated } from '../../platform/worker/builds.ts'
import type { BuildLog } from './build-log.ts'

/** Says in the build's log what the source was taken for, and keeps the Dockerfile with the build. */
export function generateFor(
  platform: Platform,
  deploymentId: string,
  lines: BuildLog,
): NonNullable<BuildSpec['generate']> {
  return async (source) => {
    const found = await detect(source, platform.config.buildImages).catch((error) => {
      throw error instanceof NotBuildable ? new BuildFailure('not-understood', error.message) : error
    })
    if (found === null) throw new BuildFailure('not-understood', nothingFound(source.files))
    await recordGenerated(platform, deploymentId, found)
    lines.say(
      'info',
      `There is no Dockerfile: the source was taken for ${found.what}, and one was made for it.`,
    )
    return found
  }
}

function nothingFound(files: readonly string[]): string {
  const top = [...new Set(files.map((path) => path.replace(/\/.*/, '/')))].sort()
  const there = top.length === 0 ? 'nothing' : top.slice(0, 12).join(', ')
  return `There is no Dockerfile, and none of what was looked for instead: ${lookedFor.join('; ')}. There is: ${there}.`
}
