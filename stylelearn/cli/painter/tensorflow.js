// The parts of TensorFlow.js that network.js and page.js use; README.md says how they become tensorflow.min.js.
import {registerKernel} from "@tensorflow/tfjs-core/dist/kernel_registry.js";
import {addConfig as webglAdd} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Add.js";
import {castConfig as webglCast} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Cast.js";
import {concatConfig as webglConcat} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Concat.js";
import {conv2DConfig as webglConv2D} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Conv2D.js";
import {identityConfig as webglIdentity} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Identity.js";
import {meanConfig as webglMean} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Mean.js";
import {mirrorPadConfig as webglMirrorPad} from "@tensorflow/tfjs-backend-webgl/dist/kernels/MirrorPad.js";
import {multiplyConfig as webglMultiply} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Multiply.js";
import {reluConfig as webglRelu} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Relu.js";
import {reshapeConfig as webglReshape} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Reshape.js";
import {resizeBilinearConfig as webglResizeBilinear} from "@tensorflow/tfjs-backend-webgl/dist/kernels/ResizeBilinear.js";
import {resizeNearestNeighborConfig as webglResizeNearestNeighbor} from "@tensorflow/tfjs-backend-webgl/dist/kernels/ResizeNearestNeighbor.js";
import {rsqrtConfig as webglRsqrt} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Rsqrt.js";
import {sliceConfig as webglSlice} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Slice.js";
import {squareConfig as webglSquare} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Square.js";
import {subConfig as webglSub} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Sub.js";
import {tanhConfig as webglTanh} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Tanh.js";
import {transposeConfig as webglTranspose} from "@tensorflow/tfjs-backend-webgl/dist/kernels/Transpose.js";
import {addConfig as wasmAdd} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Add.js";
import {castConfig as wasmCast} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Cast.js";
import {concatConfig as wasmConcat} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Concat.js";
import {conv2DConfig as wasmConv2D} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Conv2D.js";
import {identityConfig as wasmIdentity} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Identity.js";
import {meanConfig as wasmMean} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Mean.js";
import {mirrorPadConfig as wasmMirrorPad} from "@tensorflow/tfjs-backend-wasm/dist/kernels/MirrorPad.js";
import {multiplyConfig as wasmMultiply} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Multiply.js";
import {reluConfig as wasmRelu} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Relu.js";
import {reshapeConfig as wasmReshape} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Reshape.js";
import {resizeBilinearConfig as wasmResizeBilinear} from "@tensorflow/tfjs-backend-wasm/dist/kernels/ResizeBilinear.js";
import {resizeNearestNeighborConfig as wasmResizeNearestNeighbor} from "@tensorflow/tfjs-backend-wasm/dist/kernels/ResizeNearestNeighbor.js";
import {rsqrtConfig as wasmRsqrt} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Rsqrt.js";
import {sliceConfig as wasmSlice} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Slice.js";
import {squareConfig as wasmSquare} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Square.js";
import {subConfig as wasmSub} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Sub.js";
import {tanhConfig as wasmTanh} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Tanh.js";
import {transposeConfig as wasmTranspose} from "@tensorflow/tfjs-backend-wasm/dist/kernels/Transpose.js";

export {env, getBackend, keep, memory, setBackend, tidy} from "@tensorflow/tfjs-core/dist/base.js";
export {add} from "@tensorflow/tfjs-core/dist/ops/add.js";
export {concat} from "@tensorflow/tfjs-core/dist/ops/concat.js";
export {conv2d} from "@tensorflow/tfjs-core/dist/ops/conv2d.js";
export {mean} from "@tensorflow/tfjs-core/dist/ops/mean.js";
export {mirrorPad} from "@tensorflow/tfjs-core/dist/ops/mirror_pad.js";
export {mul} from "@tensorflow/tfjs-core/dist/ops/mul.js";
export {relu} from "@tensorflow/tfjs-core/dist/ops/relu.js";
export {rsqrt} from "@tensorflow/tfjs-core/dist/ops/rsqrt.js";
export {slice} from "@tensorflow/tfjs-core/dist/ops/slice.js";
export {square} from "@tensorflow/tfjs-core/dist/ops/square.js";
export {sub} from "@tensorflow/tfjs-core/dist/ops/sub.js";
export {tanh} from "@tensorflow/tfjs-core/dist/ops/tanh.js";
export {tensor} from "@tensorflow/tfjs-core/dist/ops/tensor.js";
export {transpose} from "@tensorflow/tfjs-core/dist/ops/transpose.js";
export {resizeBilinear} from "@tensorflow/tfjs-core/dist/ops/image/resize_bilinear.js";
export {resizeNearestNeighbor} from "@tensorflow/tfjs-core/dist/ops/image/resize_nearest_neighbor.js";
export * as webgl from "@tensorflow/tfjs-backend-webgl/dist/base.js";
export * as wasm from "@tensorflow/tfjs-backend-wasm/dist/base.js";

const KERNELS = [
  webglAdd, webglCast, webglConcat, webglConv2D, webglIdentity, webglMean, webglMirrorPad, webglMultiply, webglRelu,
  webglReshape, webglResizeBilinear, webglResizeNearestNeighbor, webglRsqrt, webglSlice, webglSquare, webglSub,
  webglTanh, webglTranspose,
  wasmAdd, wasmCast, wasmConcat, wasmConv2D, wasmIdentity, wasmMean, wasmMirrorPad, wasmMultiply, wasmRelu,
  wasmReshape, wasmResizeBilinear, wasmResizeNearestNeighbor, wasmRsqrt, wasmSlice, wasmSquare, wasmSub, wasmTanh,
  wasmTranspose,
];
KERNELS.forEach(registerKernel);
