import { expect, test } from 'vitest'
import type { ImageUse } from '../../platform/model/repositories.ts'
import {
  type RetentionInput,
  readRetention,
  retentionSchema,
  ruleKeeping,
} from '../../platform/model/retention.ts'
import type { ImageRow } from '../../platform/registry/contents.ts'
import { planRetention } from '../../platform/registry/retention-plan.ts'

const day = 24 * 60 * 60_000
const now = new Date('2026-06-01T00:00:00Z')
const ago = (days: number) => new Date(now.getTime() - days * day)

function image(digest: string, more: Partial<ImageRow> = {}): ImageRow {
  const row: ImageRow = {
    ...{
      digest,
      mediaType: '',
      sizeBytes: 10,
      platform: 'linux/amd64',
      artifactType: null,
      configDigest: null,
    },
    ...{ children: [], subject: null, pushedAt: ago(100), pushedByName: null, lastPulledAt: null, blobs: [] },
    looseSince: null,
  }
  return { ...row, ...more }
}

const tags = ['v1.0.0', 'v1.1.0', 'v2.0.0-rc.1', 'v2.0.0', 'nightly', 'latest'].map((name, at) => ({
  name,
  digest: `sha256:${name}`,
  pushedAt: ago(60 - at * 10),
}))

function plan(rules: RetentionInput | null, more: { images?: ImageRow[]; uses?: ImageUse[] } = {}) {
  const images = [...tags.map(({ digest }) => image(digest)), ...(more.images ?? [])]
  return planRetention({
    rules: rules === null ? null : retentionSchema.parse(rules),
    tags,
    images: new Map(images.map((row) => [row.digest, row])),
    uses: more.uses ?? [],
    now,
  })
}

const going = (rules: RetentionInput | null, more?: Parameters<typeof plan>[1]) =>
  plan(rules, more).tags.flatMap(({ name, keptBy }) => (keptBy.length === 0 ? [name] : []))

test('tags go only where a rule is about tags, and any rule keeps one', () => {
  expect(going(null)).toEqual([])
  expect(going({ untaggedDays: 1 })).toEqual([])
  expect(going({ keepLast: 2 })).toEqual(['v2.0.0', 'v2.0.0-rc.1', 'v1.1.0', 'v1.0.0'])
  expect(going({ keepTags: ['v*'] })).toEqual(['latest', 'nightly'])
  expect(going({ keepTags: ['^1', 'latest'] })).toEqual(['nightly', 'v2.0.0', 'v2.0.0-rc.1'])
  expect(going({ keepLast: 1, keepTags: ['>=1.1 <2', 'v2.0.?'] })).toEqual([
    'nightly',
    'v2.0.0-rc.1',
    'v1.0.0',
  ])
})

test('each thing says why it stays: its place, the rule, the deployment that needs it', () => {
  const app = { id: 'app_1', name: 'Shop', slug: 'shop', project: 'web' }
  const use: ImageUse = { use: 'rollback', digest: 'sha256:child', app, deployment: 3 }
  const index = image('sha256:v1.0.0', { children: ['sha256:child'] })
  const { tags: planned } = plan(
    { keepLast: 1, keepTags: ['v1*'] },
    { images: [index, image('sha256:child')], uses: [use] },
  )
  expect(planned.find(({ name }) => name === 'latest')?.keptBy).toEqual([{ kind: 'newest', place: 1 }])
  expect(planned.find(({ name }) => name === 'v1.0.0')?.keptBy).toEqual([
    { kind: 'rule', rule: 'v1*' },
    { kind: 'use', use },
  ])
  expect(
    plan({ keepLast: 1 }, { images: [index, image('sha256:child')], uses: [use] }).tags.at(-1)?.keptBy,
  ).toEqual([{ kind: 'use', use }])
})

test('what no tag names goes after its days, unless a deployment needs it', () => {
  const images = [
    image('sha256:old', { looseSince: ago(8) }),
    image('sha256:new', { looseSince: ago(6) }),
    image('sha256:needed', { looseSince: ago(8) }),
  ]
  const use: ImageUse = { use: 'live', digest: 'sha256:needed', app: null, deployment: null }
  const { untagged } = plan({ untaggedDays: 7 }, { images, uses: [use] })
  expect(untagged.map(({ digest, keptBy }) => [digest, keptBy])).toEqual([
    ['sha256:old', []],
    ['sha256:new', [{ kind: 'untagged', until: ago(-1).toISOString() }]],
    ['sha256:needed', [{ kind: 'use', use }]],
  ])
  expect(plan({ keepLast: 1 }, { images }).untagged.map(({ keptBy }) => keptBy[0])).toEqual(
    images.map(() => ({ kind: 'untagged', until: null })),
  )
})

test('rules that can’t be meant are refused, and name their place', () => {
  const problems = (input: unknown) =>
    retentionSchema
      .safeParse(input)
      .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? []
  expect(problems({ keepLast: 0 })).toEqual(['keepLast must be at least 1'])
  expect(problems({ keepLast: 1.5 })).toEqual(['keepLast must be a whole number'])
  expect(problems({ untaggedDays: 0 })).toEqual(['untaggedDays must be at least a day'])
  expect(problems({ untaggedDays: 4_000 })).toEqual(['untaggedDays must be at most 3650 days'])
  expect(problems({ keepTags: ['v*', '(a+)+$', '^not-a-version', '>=1 x y z'] })).toEqual([
    expect.stringMatching(/^keepTags.1 must be a tag/),
    expect.stringMatching(/^keepTags.2 must be a tag/),
    expect.stringMatching(/^keepTags.3 must be a tag/),
  ])
  expect(problems({ keepTags: ['a', ' '] })[0]).toBe('keepTags.1 must not be empty')
  expect(problems({ keepTags: Array.from({ length: 21 }, () => 'a') })).toEqual([
    'keepTags must be at most 20',
  ])
  expect(problems({ keepTags: ['x'.repeat(129)] })).toEqual(['keepTags.0 must be at most 128 characters'])
  expect(problems({ keepEverything: true })).toHaveLength(1)
})

test('no pattern takes long, whatever the tag', () => {
  const rules = retentionSchema.parse({ keepTags: [`${'*a'.repeat(60)}b`] })
  const begun = performance.now()
  expect(ruleKeeping(rules, 'a'.repeat(128))).toBeNull()
  expect(performance.now() - begun).toBeLessThan(1_000)
})

test('rules that another version wrote are not read as other ones', () => {
  expect(readRetention(null)).toBeNull()
  expect(readRetention({ keepLast: 3, keepTags: [], untaggedDays: null })).toMatchObject({ keepLast: 3 })
  expect(readRetention({ keepLast: 3, olderThan: 5 })).toBeNull()
})
