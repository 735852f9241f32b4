/** What of a repository elsewhere is meant by what apps follow. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { PushedTag } from '../following.ts'
import { chooseFollowed, type Follow, fittingTags } from '../model/follow.ts'
import { readImageName } from '../model/image-name.ts'
import type { Platform } from '../open.ts'
import { manifestTypes } from '../registry/manifest.ts'
import { askRegistry, type Login, readJson } from './ask.ts'
import { RegistryProblem } from './problem.ts'

interface Asked {
  image: string
  login: Login | null
  signal?: AbortSignal
}

const tagsAtOnce = 1_000
const maxTags = 20_000
const tagListSchema = z.object({ tags: z.array(z.string()).nullish() })

/** For each of `follows` what it means now, where there is such a tag. Lists the tags only where a range needs them. */
export async function lookAtTags(
  platform: Platform,
  asked: Asked,
  follows: readonly Follow[],
): Promise<PushedTag[]> {
  const names = follows.some(({ by }) => by !== 'tag') ? await listTags(platform, asked) : []
  const wanted = new Set(
    follows.flatMap((follow) =>
      follow.by === 'tag' ? follow.value : (chooseFollowed(follow, asSeen(names))?.tag ?? []),
    ),
  )
  const found: PushedTag[] = []
  for (const tag of wanted) {
    const digest = await readDigest(platform, asked, tag)
    if (digest !== null) found.push({ tag, digest, pushedAt: null, pushedBy: null })
  }
  return found
}

/** The tags that fit, the one that is meant first. */
export async function listFitting(platform: Platform, asked: Asked, follow: Follow): Promise<string[]> {
  return fittingTags(follow, asSeen(await listTags(platform, asked))).map(({ tag }) => tag)
}

function asSeen(names: readonly string[]): PushedTag[] {
  return names.map((tag) => ({ tag, digest: '', pushedAt: null, pushedBy: null }))
}

/** All names, page by page. Throws RegistryProblem. */
async function listTags(platform: Platform, { image, login, signal }: Asked): Promise<string[]> {
  const { registry: host, repository } = readImageName(image)
  const names: string[] = []
  let query: string | null = `?n=${tagsAtOnce}`
  while (query !== null) {
    const { text, headers } = await askRegistry(platform, {
      ...{ host, repository, login, signal, path: `${repository}/tags/list${query}` },
    })
    const page = tagListSchema.safeParse(readJson(text))
    if (!page.success) throw new RegistryProblem('invalid', `${host} answers with no list of tags.`)
    const before = names.length
    names.push(...(page.data.tags ?? []))
    if (names.length > maxTags)
      throw new RegistryProblem(
        'invalid',
        `${host}/${repository} has more than ${maxTags} tags: follow one by its name.`,
      )
    // Only what to ask for is taken from the link, not whom.
    const next = /<([^>]+)>\s*;\s*rel="?next"?/i.exec(String(headers.link ?? ''))?.[1]
    query = next === undefined || names.length === before ? null : new URL(next, 'http://any').search
  }
  return names
}

/** Null: there is no such tag. */
async function readDigest(
  platform: Platform,
  { image, login, signal }: Asked,
  tag: string,
): Promise<string | null> {
  const { registry: host, repository } = readImageName(image)
  const question = {
    ...{ host, repository, login, signal },
    path: `${repository}/manifests/${tag}`,
    accept: manifestTypes.join(', '),
  }
  try {
    const head = await askRegistry(platform, { ...question, method: 'HEAD' })
    const said = String(head.headers['docker-content-digest'] ?? '')
    if (/^sha256:[0-9a-f]{64}$/.test(said)) return said
    const { text } = await askRegistry(platform, question)
    return `sha256:${createHash('sha256').update(text).digest('hex')}`
  } catch (error) {
    if (error instanceof RegistryProblem && error.kind === 'not-found') return null
    throw error
  }
}
