import { getPlatform } from '../../../_server/platform.ts'
import { answerRegistryEvents } from '../../../_server/registry-events.ts'

export async function POST(request: Request): Promise<Response> {
  return answerRegistryEvents(await getPlatform(), request)
}
