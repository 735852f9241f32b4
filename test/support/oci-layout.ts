import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type BuiltImage, buildImage, type ImageSpec } from './images.ts'

/** Pushes with skopeo, as a user would: an OCI layout on disk, a password, a reference. */
export async function pushWithSkopeo(reference: string, credentials: string, spec: ImageSpec): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-layout-'))
  try {
    await writeLayout(await buildImage(spec), folder)
    const flags = ['copy', '--insecure-policy', '--dest-tls-verify=false', '--dest-creds', credentials]
    await promisify(execFile)('skopeo', [...flags, `oci:${folder}:latest`, `docker://${reference}`])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Writes an image as an OCI layout, in which it is called latest. */
export async function writeLayout(image: BuiltImage, folder: string): Promise<void> {
  const blobs = join(folder, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  for (const [digest, bytes] of [...image.blobs, [image.digest, image.manifest] as const])
    await writeFile(join(blobs, digest.replace('sha256:', '')), bytes)
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  const manifest = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: image.digest,
    size: image.manifest.length,
    annotations: { 'org.opencontainers.image.ref.name': 'latest' },
  }
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }))
}
