// The main job with the openEO JavaScript client: node js_client.mjs URL USER PASSWORD FOLDER
//
// Connects, logs in, lists collections, builds cloud mask, NDVI and monthly median with the Builder, computes the result
// at once into FOLDER and as a batch job into FOLDER/job. Prints a line for each test; exit status 1 where one fails.
import assert from 'node:assert/strict';
import { createWriteStream, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import client from '@openeo/js-client';

const { Formula, OpenEO } = client;
const [url, user, password, folder] = process.argv.slice(2);
const jobFolder = join(folder, 'job');
mkdirSync(jobFolder);
let passed = 0;
let failed = 0;

async function test(name, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}

// The graph of the main job; null in the extents: all of it.
async function mainJob(connection, format) {
  const builder = await connection.buildProcess();
  const bands = ['B04', 'B08', 'QA'];
  const scenes = builder.load_collection('DEMO_S2', null, ['2024-04-01', '2024-09-01'], bands);
  const index = builder.reduce_dimension(scenes, new Formula('($B08 - $B04) / ($B08 + $B04)'), 'bands');
  const hidden = builder.reduce_dimension(scenes, function clouds(data) {
    const quality = this.array_element(data, undefined, 'QA');
    return this.or(this.eq(quality, 3), this.gte(quality, 8));
  }, 'bands');
  const months = builder.aggregate_temporal_period(builder.mask(index, hidden), 'month', function median(data) {
    return this.median(data);
  });
  return builder.save_result(months, format);
}

async function compute(connection, format, file) {
  const result = await mainJob(connection, format);
  const answer = await connection.computeResult(result);
  assert.ok(answer.data);
  await pipeline(answer.data, createWriteStream(join(folder, file)));
  return readFileSync(join(folder, file));
}

let connection;

await test('connect', async () => {
  connection = await OpenEO.connect(url);
  const capabilities = connection.capabilities();
  assert.equal(capabilities.apiVersion(), '1.3.0');
  for (const feature of ['listCollections', 'computeResult', 'createJob', 'startJob', 'authenticateBasic',
    'uploadFile', 'deleteFile']) {
    assert.ok(capabilities.hasFeature(feature), feature);
  }
});

await test('log in', async () => {
  await connection.authenticateBasic(user, password);
  assert.equal((await connection.describeAccount()).user_id, user);
});

await test('list collections', async () => {
  const { collections } = await connection.listCollections();
  assert.deepEqual(collections.map((collection) => collection.id), ['DEMO_S2']);
  const collection = await connection.describeCollection('DEMO_S2');
  assert.deepEqual(new Set(collection['cube:dimensions'].bands.values), new Set(['B02', 'B03', 'B04', 'B08', 'QA']));
});

await test('list the items of a collection', async () => {
  assert.ok(connection.capabilities().hasFeature('listCollectionItems'));
  const pages = connection.listCollectionItems('DEMO_S2', null, ['2024-04-01', '2024-05-01'], 1);
  const found = [];
  do {
    const page = await pages.nextPage([], false);
    assert.equal(page.features.length, 1);
    found.push(...page.features);
  } while (pages.hasNextPage());
  assert.ok(found.length > 1);
  assert.ok(found.every((item) => item.properties.datetime >= '2024-04' && item.properties.datetime < '2024-05-02'));
  assert.equal(new Set(found.map((item) => item.id)).size, found.length);
});

await test('list processes and formats', async () => {
  const { processes } = await connection.listProcesses();
  assert.ok(processes.some((entry) => entry.id === 'aggregate_temporal_period'));
  const formats = await connection.listFileTypes();
  assert.ok('NETCDF' in formats.getOutputTypes() && 'GTIFF' in formats.getOutputTypes());
});

await test('validate', async () => {
  const result = await mainJob(connection, 'netCDF');
  const errors = await connection.validateProcess(result);
  assert.equal(errors.length, 0, JSON.stringify(errors));
});

await test('compute netCDF', async () => {
  const bytes = await compute(connection, 'netCDF', 'ndvi.nc');
  assert.equal(bytes.subarray(1, 4).toString(), 'HDF');
});

await test('compute GeoTIFF', async () => {
  const bytes = await compute(connection, 'GTiff', 'ndvi.tif');
  assert.ok(['II', 'MM'].includes(bytes.subarray(0, 2).toString()));
});

await test('batch job', async () => {
  const result = await mainJob(connection, 'GTiff');
  const job = await connection.createJob(result, 'monthly NDVI');
  await job.startJob();
  // monitorJob reports changes only: a job that is finished by now would never be reported.
  if (job.status !== 'finished') await new Promise((resolve, reject) => {
    const stop = job.monitorJob((state) => {
      if (state.status === 'finished') {
        stop();
        resolve();
      } else if (!['created', 'queued', 'running'].includes(state.status)) {
        stop();
        reject(new Error(`the job is ${state.status}`));
      }
    }, 1, false);
  });
  const assets = await job.listResults();
  assert.equal(assets.length, 1);
  const files = await job.downloadResults(jobFolder);
  assert.equal(files.length, 1);
  assert.equal(readdirSync(jobFolder).filter((name) => name.endsWith('.tif')).length, 1);
  await job.deleteJob();
});

await test('files', async () => {
  const source = join(folder, 'upload.bin');
  const bytes = Buffer.alloc(700000, 'seventeen');
  writeFileSync(source, bytes);
  const file = await connection.uploadFile(source, 'a folder/file.bin');
  assert.equal(file.size, bytes.length);
  const files = await connection.listFiles();
  assert.deepEqual((Array.isArray(files) ? files : files.files).map((entry) => entry.path), ['a folder/file.bin']);
  const handle = await connection.getFile('a folder/file.bin');
  const target = join(folder, 'back.bin');
  await handle.downloadFile(target);
  assert.ok(readFileSync(target).equals(bytes));
  await handle.deleteFile();
  await assert.rejects(handle.retrieveFile());
});

await test('an error has a code', async () => {
  const builder = await connection.buildProcess();
  const scenes = builder.load_collection('DEMO_S2', null, null, ['B99']);
  console.error = () => {}; // the client prints the whole failed request
  await assert.rejects(connection.computeResult(builder.save_result(scenes, 'netCDF')), (error) => {
    assert.ok(error.code && error.message.includes('B99'), `${error.code}: ${error.message}`);
    return true;
  });
});

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
