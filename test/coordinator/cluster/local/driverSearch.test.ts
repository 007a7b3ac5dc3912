import { expect, it } from 'vitest';
import { withoutDriverSearch } from '../../../../coordinator/cluster/local/processWorker.ts';

const dawn = '/home/runner/work/node-webgpu/node-webgpu/third_party/dawn/src/dawn/native/vulkan';
const noLoader = [
  "Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file: No such file or directory",
  `    at operator() (${dawn}/BackendVk.cpp:368)`,
  '',
];
const noDriver = [
  'Warning: loader_get_json: Failed to open JSON file /nonexistent.json',
  'Warning: vkCreateInstance: Found no drivers!',
  'Warning: vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER',
  `    at CheckVkSuccessImpl (${dawn}/VulkanError.cpp:106)`,
  `    at operator() (${dawn}/BackendVk.cpp:455)`,
  '',
];

it('notes of the search for a driver are left out, and nothing else', () => {
  const own = [
    'joined as w1',
    'Warning: the device was lost',
    `    at Device (${dawn}/DeviceVk.cpp:1)`,
    '',
    'Error: boom',
    '    at run (worker.js:1)',
  ];
  const heard: string[] = [];
  const hear = withoutDriverSearch((line) => heard.push(line));
  for (const line of [...noLoader, ...own, ...noDriver, 'Error: boom', ...noLoader.slice(0, 1), ...own])
    hear(line);
  expect(heard).toEqual([...own, 'Error: boom', ...own]);
});
