import { getPlatform } from '../../../_server/platform.ts'
import { answerRegistryToken } from '../../../_server/registry-token.ts'

async function handle(request: Request): Promise<Response> {
  return answerRegistryToken(await getPlatform(), request)
}

export { handle as GET, handle as POST }
