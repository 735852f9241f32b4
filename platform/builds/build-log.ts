import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Viewer } from '../access.ts'
import { deploymentAccess } from '../app-access.ts'
import { type Entry, type FollowOptions, follow, streams } from '../event-log.ts'
import { type BuildLine, buildLineSchema } from '../model/builds.ts'
import type { Platform } from '../open.ts'
import { whileAllowed } from '../watch-right.ts'

const unpack = promisify(gunzip)

/** All that a deployment's build has said until now; nothing where nothing is built. */
export async function readBuildLog(
  platform: Platform,
  viewer: Viewer,
  deploymentId: string,
): Promise<{ lines: BuildLine[]; isComplete: boolean }> {
  await deploymentAccess(platform, viewer, deploymentId, 'app.read-logs')
  const build = await platform.db.build.findUnique({ where: { deploymentId }, select: { log: true } })
  if (build === null) return { lines: [], isComplete: true }
  if (build.log !== null) return { lines: parseLines(await unpack(build.log)), isComplete: true }
  return { lines: await linesInStream(platform, deploymentId), isComplete: false }
}

/** What a build says, from its beginning, as it says it. */
export async function followBuildLog(
  platform: Platform,
  viewer: Viewer,
  deploymentId: string,
  options: FollowOptions,
): Promise<AsyncIterable<Entry<BuildLine>>> {
  const check = () => deploymentAccess(platform, viewer, deploymentId, 'app.read-logs')
  await check()
  const stream = streams.build(deploymentId)
  return whileAllowed(platform, viewer, check, options, (inner) => follow(platform, stream, inner))
}

export async function linesInStream(platform: Platform, deploymentId: string): Promise<BuildLine[]> {
  const stream = streams.build(deploymentId)
  const entries = await platform.redis.xrange(stream.name, '-', '+')
  return entries.map(([, fields]) => stream.parse(JSON.parse(fields[1] ?? 'null')))
}

function parseLines(text: Buffer): BuildLine[] {
  return text
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => buildLineSchema.parse(JSON.parse(line)))
}
