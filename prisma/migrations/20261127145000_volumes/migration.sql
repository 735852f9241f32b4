-- AlterTable
ALTER TABLE "volumes" ADD COLUMN     "appName" TEXT,
ADD COLUMN     "deletedAt" TIMESTAMP(3),
ADD COLUMN     "hostId" TEXT,
ADD COLUMN     "isMade" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "measuredAt" TIMESTAMP(3),
ADD COLUMN     "problem" TEXT,
ADD COLUMN     "projectId" TEXT,
ADD COLUMN     "purgeAt" TIMESTAMP(3),
ADD COLUMN     "task" JSONB,
ADD COLUMN     "teamId" TEXT,
ADD COLUMN     "usedBytes" BIGINT,
ALTER COLUMN "appId" DROP NOT NULL;

-- What is known of a volume came with its app until now.
UPDATE "volumes" SET
  "appName" = apps.name,
  "hostId" = coalesce(apps."hostId", (SELECT id FROM hosts ORDER BY id LIMIT 1), ''),
  "projectId" = apps."projectId",
  "teamId" = projects."teamId",
  "sizeBytes" = coalesce("sizeBytes", 1073741824)
FROM apps JOIN projects ON projects.id = apps."projectId" WHERE apps.id = "volumes"."appId";

ALTER TABLE "volumes" ALTER COLUMN "appName" SET NOT NULL,
ALTER COLUMN "hostId" SET NOT NULL,
ALTER COLUMN "teamId" SET NOT NULL,
ALTER COLUMN "sizeBytes" SET NOT NULL;

-- DropForeignKey
ALTER TABLE "volumes" DROP CONSTRAINT "volumes_appId_fkey";

-- CreateTable
CREATE TABLE "volume_snapshots" (
    "id" TEXT NOT NULL,
    "volumeId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "note" TEXT NOT NULL DEFAULT '',
    "status" TEXT NOT NULL DEFAULT 'waiting',
    "message" TEXT,
    "allocatedBytes" BIGINT NOT NULL,
    "actorName" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMP(3),
    "deletedAt" TIMESTAMP(3),

    CONSTRAINT "volume_snapshots_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "volume_snapshots_volumeId_idx" ON "volume_snapshots"("volumeId");

-- CreateIndex
CREATE INDEX "volumes_teamId_idx" ON "volumes"("teamId");

-- CreateIndex
CREATE INDEX "volumes_projectId_idx" ON "volumes"("projectId");

-- CreateIndex
CREATE INDEX "volumes_hostId_idx" ON "volumes"("hostId");

-- AddForeignKey
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "teams"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "projects"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "volume_snapshots" ADD CONSTRAINT "volume_snapshots_volumeId_fkey" FOREIGN KEY ("volumeId") REFERENCES "volumes"("id") ON DELETE CASCADE ON UPDATE CASCADE;
