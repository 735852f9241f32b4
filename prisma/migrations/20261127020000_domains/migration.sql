-- DropIndex
DROP INDEX "domains_appId_idx";

-- DropIndex
DROP INDEX "domains_name_key";

-- AlterTable
ALTER TABLE "domains" ADD COLUMN     "checkedAt" TIMESTAMP(3),
ADD COLUMN     "checks" JSONB,
ADD COLUMN     "nextCheckAt" TIMESTAMP(3),
ADD COLUMN     "pathPrefix" TEXT NOT NULL DEFAULT '/',
ADD COLUMN     "redirectTo" TEXT,
ADD COLUMN     "route" TEXT,
ADD COLUMN     "stripPrefix" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "verifiedBy" TEXT;

-- All that is there was made by Berth.
UPDATE "domains" SET "route" = "name" || '/' WHERE "verifiedAt" IS NOT NULL;

-- AlterTable
ALTER TABLE "teams" ADD COLUMN     "domainToken" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "domains_route_key" ON "domains"("route");

-- CreateIndex
CREATE INDEX "domains_name_idx" ON "domains"("name");

-- CreateIndex
CREATE INDEX "domains_nextCheckAt_idx" ON "domains"("nextCheckAt");

-- CreateIndex
CREATE UNIQUE INDEX "domains_appId_name_pathPrefix_key" ON "domains"("appId", "name", "pathPrefix");
