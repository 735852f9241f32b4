import { chmod, mkdir, open, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { basename, dirname } from 'node:path'

/** On a Unix socket that only root can open; one that an earlier process left is replaced. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true })
  // The address of a Unix socket has 107 bytes at most; through the folder's descriptor every path is short.
  const folder = await open(dirname(path))
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(`/proc/self/fd/${folder.fd}/${basename(path)}`, resolve)
    })
    await chmod(path, 0o600)
  } finally {
    await folder.close()
  }
}
