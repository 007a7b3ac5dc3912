import { describe, expect, it } from 'vitest';
import {
  extraVariables,
  workerEnvironment,
} from '../../../../coordinator/cluster/local/workerEnvironment.ts';

describe('The environment of workers', () => {
  it('is made of what finds programs, proxies, certificates and drivers', () => {
    const allowed = {
      PATH: '/usr/bin',
      HOME: '/home/owner',
      LANG: 'en_GB.UTF-8',
      LC_ALL: 'C',
      TMPDIR: '/scratch',
      XDG_CACHE_HOME: '/home/owner/.cache',
      https_proxy: 'http://proxy:3128',
      NO_PROXY: 'localhost',
      NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
      SSL_CERT_FILE: '/etc/ca.pem',
      VK_ICD_FILENAMES: '/usr/share/vulkan/icd.d/x.json',
      LD_LIBRARY_PATH: '/usr/local/lib',
      WAYLAND_DISPLAY: 'wayland-0',
      CUDA_VISIBLE_DEVICES: '1',
    };
    const others = {
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      PGPASSWORD: 'x',
      PGUSER: 'x',
      DATABASE_URL: 'x',
      TABGRAD_TOKEN: 'x',
      TABGRAD_NAME: 'x',
      NODE_OPTIONS: '--require x',
      NPM_TOKEN: 'x',
      SSH_AUTH_SOCK: 'x',
      XDGX: 'x',
      MY_PATH: 'x',
    };
    expect(workerEnvironment({ ...others, ...allowed })).toEqual(allowed);
    expect(workerEnvironment({ ...others, PATH: undefined }, ['PGUSER', 'ABSENT'])).toEqual({ PGUSER: 'x' });
  });

  it('takes further names from its owner, or from a variable', () => {
    expect(extraVariables(undefined, {})).toEqual([]);
    expect(extraVariables(undefined, { TABGRAD_WORKER_ENV: 'A, B_2' })).toEqual(['A', 'B_2']);
    expect(extraVariables(['C'], { TABGRAD_WORKER_ENV: 'A' })).toEqual(['C']);
    for (const name of ['', 'A=1', '1A', 'A B', 'TABGRAD_TOKEN', 'Tabgrad_x']) {
      expect(() => extraVariables([name], {})).toThrow(
        expect.objectContaining({ code: 'WORKER_SETTING_INVALID', place: { field: 'workerEnv' } }),
      );
    }
  });
});
