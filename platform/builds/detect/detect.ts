/** How source without a Dockerfile is built: what it is, by the files that it has, and a Dockerfile for that. Pure. */
import { parse } from 'smol-toml'
import { deno } from './deno.ts'
import { isRecord } from './dockerfile.ts'
import { dotnet } from './dotnet.ts'
import { go } from './go.ts'
import { java } from './java.ts'
import { node } from './node.ts'
import { php } from './php.ts'
import { python } from './python.ts'
import { ruby } from './ruby.ts'
import { rust } from './rust.ts'
import {
  type BaseImageName,
  type BaseImages,
  type Detector,
  defaultBaseImages,
  type Plan,
  type SourceFacts,
  type SourceView,
} from './source-view.ts'
import { staticSite } from './static.ts'

/** Asked in this order: a PHP or Ruby or Python application often has a package.json beside its own files. */
const detectors: readonly Detector[] = [php, ruby, python, go, rust, java, dotnet, deno, node, staticSite]

/** What was looked for, in words. */
export const lookedFor: readonly string[] = detectors.map((detector) => detector.lookedFor)

/** Null: it is nothing that is known. Throws NotBuildable where it is, and something is missing. */
export async function detect(
  view: SourceView,
  images: Partial<Record<string, string>> = {},
): Promise<Plan | null> {
  const source = await factsOf(view, baseImages(images))
  for (const detector of detectors) {
    const found = await detector.detect(source)
    if (found !== null) return found
  }
  return null
}

/** @param own references by name in place of the defaults, with `{version}` where it matters. */
export function baseImages(own: Partial<Record<string, string>>): BaseImages {
  return {
    of(name: BaseImageName, version = 'latest') {
      return (own[name] ?? defaultBaseImages[name]).replaceAll('{version}', version)
    },
  }
}

async function factsOf(view: SourceView, images: BaseImages): Promise<SourceFacts> {
  const files = new Set(view.files)
  const text = async (path: string) => (files.has(path) ? ((await view.read(path)) ?? '') : '')
  const has = (path: string) => files.has(path)
  const procfile = await text('Procfile')
  return {
    ...{ files: view.files, images, has, text },
    read: (path) => view.read(path),
    first: (...paths) => paths.find(has) ?? null,
    json: async (path) => readAs(await text(path), (content) => JSON.parse(content)),
    toml: async (path) => readAs(await text(path), parse),
    webCommand: /^web:[ \t]*(\S.*)$/m.exec(procfile)?.[1]?.trim() ?? null,
  }
}

/** What can't be read is as good as empty: the language's own tools say better what is wrong with it. */
function readAs(content: string, reader: (content: string) => unknown): Record<string, unknown> {
  try {
    const value = reader(content.replace(/^\uFEFF/, ''))
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}
