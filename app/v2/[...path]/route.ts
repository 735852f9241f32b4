import { getPlatform } from '../../_server/platform.ts'
import { answerRegistryDelete } from '../../_server/registry-delete.ts'

/** The edge sends only this here; everything else of /v2/ is the registry's. */
export async function DELETE(request: Request): Promise<Response> {
  return answerRegistryDelete(await getPlatform(), request)
}
