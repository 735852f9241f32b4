/** Unpacks what comes on its standard input, in a process of its own that can be killed. */
import type { FileHandle } from 'node:fs/promises'
import { unpackLayer } from '../../engine/images/unpack.ts'

const [folder = '', diffId = ''] = process.argv.slice(2)
await unpackLayer({ fd: 0 } as FileHandle, diffId, folder)
