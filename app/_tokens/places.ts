import type { Role } from '@/platform/model/roles.ts'

export interface TeamPlaces {
  id: string
  name: string
  role: Role
  projects: { id: string; name: string; apps: { id: string; name: string }[] }[]
}
