import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pageFile, pageLanguages, pages } from './pages.ts'
import { type EdgePlan, mapFile } from './plan.ts'
import { redirectsPath, strippedPath } from './routes.ts'
import type { EdgeSettings } from './settings.ts'
import { handoverPath, hostsPath } from './structure.ts'

/** Writes what changed. The configuration comes last: what it names is there by then. */
export async function writePlan(settings: EdgeSettings, plan: EdgePlan): Promise<void> {
  await mkdir(join(settings.folder, 'pages'), { recursive: true })
  for (const [name, page] of Object.entries(pages)) {
    for (const language of pageLanguages)
      await replace(join(settings.folder, pageFile(name as keyof typeof pages, language)), page[language])
  }
  await replace(hostsPath(settings), mapFile(plan.hosts))
  await replace(redirectsPath(settings), mapFile(plan.redirects))
  await replace(strippedPath(settings), mapFile(plan.stripped))
  await replace(handoverPath(settings), '')
  await writeConfiguration(settings, plan.configuration)
}

export async function readConfiguration(settings: EdgeSettings): Promise<string | null> {
  return readIfThere(configurationPath(settings))
}

export async function writeConfiguration(settings: EdgeSettings, text: string): Promise<void> {
  await replace(configurationPath(settings), text)
}

function configurationPath(settings: EdgeSettings): string {
  return join(settings.folder, 'haproxy.cfg')
}

/** Whoever reads it at any moment finds the old or the new whole. A worker writes all anew when it starts. */
async function replace(path: string, text: string): Promise<void> {
  if ((await readIfThere(path)) === text) return
  const temporary = `${path}.new`
  await writeFile(temporary, text)
  await rename(temporary, path)
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
