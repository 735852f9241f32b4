import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  certificateListPath,
  certificatePath,
  certificatesFolder,
  type EdgeCertificate,
  type EdgeCertificates,
} from './certificates.ts'
import { countedPath } from './counted.ts'
import { pageFile, pageLanguages, pages } from './pages.ts'
import { type EdgePlan, mapFile } from './plan.ts'
import { redirectsPath, strippedPath, transportPath } from './routes.ts'
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
  await replace(transportPath(settings), mapFile(plan.transport))
  await replace(countedPath(settings), mapFile(plan.counted))
  await replace(certificateListPath(settings), plan.certificates.map((line) => `${line}\n`).join(''))
  await replace(handoverPath(settings), '')
  await writeConfiguration(settings, plan.configuration)
}

/**
 * Writes the certificates that are not there yet, root's alone, and answers the keys' files by their paths. Those that
 * are gone meanwhile are left out of what it answers.
 */
export async function writeCertificates(
  settings: EdgeSettings,
  certificates: EdgeCertificates,
): Promise<EdgeCertificates> {
  const folder = certificatesFolder(settings)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const there = new Set(await readdir(folder))
  const isWritten = async (certificate: EdgeCertificate) => {
    const path = certificatePath(settings, certificate)
    if (there.has(basename(path))) return true
    const pem = await certificates.readPem(certificate)
    if (pem === null) return false
    await writeFile(`${path}.new`, pem, { mode: 0o600 })
    await rename(`${path}.new`, path)
    there.add(basename(path))
    return true
  }
  const { own } = certificates
  const others: EdgeCertificate[] = []
  for (const certificate of certificates.others) if (await isWritten(certificate)) others.push(certificate)
  return { ...certificates, own: own !== null && (await isWritten(own)) ? own : null, others }
}

/** What no configuration names any more. */
export async function removeCertificates(
  settings: EdgeSettings,
  { own, others }: EdgeCertificates,
): Promise<void> {
  const folder = certificatesFolder(settings)
  const stay = new Set(
    [...(own === null ? [] : [own]), ...others].map((each) => certificatePath(settings, each)),
  )
  for (const name of await readdir(folder))
    if (!stay.has(join(folder, name))) await rm(join(folder, name), { force: true })
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
