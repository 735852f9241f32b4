/** Which JavaScript framework a source uses, by the list that Vercel keeps. */
import type { Framework } from '@vercel/frameworks'
import { stringsOf } from './dockerfile.ts'
import type { SourceFacts } from './source-view.ts'

export interface FoundFramework {
  slug: string
  name: string
  /** Where its build puts the pages; null where that is for the framework to know. */
  outputFolder: string | null
  buildCommand: string | null
}

type Detector = NonNullable<Framework['detectors']>['every'] extends readonly (infer Item)[] | undefined
  ? Item
  : never

/** The most particular one: frameworks name those that they come before. */
export async function findFramework(source: SourceFacts): Promise<FoundFramework | null> {
  // A long list, for those alone who build without a Dockerfile.
  const { frameworkList } = await import('@vercel/frameworks')
  const found: Framework[] = []
  for (const framework of frameworkList) if (await isUsed(framework, source)) found.push(framework)
  const superseded = new Set(found.flatMap(({ supersedes }) => supersedes ?? []))
  const best = found.find(({ slug }) => slug !== null && !superseded.has(slug) && isJavaScript(slug))
  if (best === undefined || best.slug === null) return null
  const { outputDirectory, buildCommand } = best.settings
  return {
    ...{ slug: best.slug, name: best.name },
    outputFolder: 'value' in outputDirectory ? (outputDirectory.value ?? null) : null,
    buildCommand: 'value' in buildCommand ? (buildCommand.value ?? null) : null,
  }
}

/** The list has other languages too, and tools that come beside a framework. */
function isJavaScript(slug: string): boolean {
  return !/^(container|hugo|jekyll|middleman|zola|python|fastapi|flask|fasthtml|django|ruby|rust|axum|actix-web|go|services|storybook|node|bun)$/.test(
    slug,
  )
}

async function isUsed({ detectors }: Framework, source: SourceFacts): Promise<boolean> {
  if (detectors === undefined) return false
  const { every = [], some = [] } = detectors
  for (const one of every) if (!(await matches(one, source))) return false
  if (some.length === 0) return every.length > 0
  for (const one of some) if (await matches(one, source)) return true
  return false
}

async function matches(detector: Detector, source: SourceFacts): Promise<boolean> {
  if (detector.matchPackage !== undefined)
    return detector.matchPackage in dependenciesOf(await source.json('package.json'))
  const { path, matchContent } = detector
  if (path === undefined || !source.has(path)) return false
  return matchContent === undefined || new RegExp(matchContent, 'm').test(await source.text(path))
}

export function dependenciesOf(manifest: Record<string, unknown>): Record<string, string> {
  return { ...stringsOf(manifest.dependencies), ...stringsOf(manifest.devDependencies) }
}
