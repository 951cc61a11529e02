// All that a program needs.
#pragma once

#include "flott/api/async_data_stream.h"
#include "flott/api/broadcast_stream.h"
#include "flott/api/connected_streams.h"
#include "flott/api/data_stream.h"
#include "flott/api/environment.h"
#include "flott/api/interval_join.h"
#include "flott/api/keyed_stream.h"
#include "flott/api/pre_aggregated_stream.h"
#include "flott/api/process.h"
#include "flott/api/sinks.h"
#include "flott/api/watermarks.h"
#include "flott/api/window_join.h"
#include "flott/api/windowed_stream.h"
#include "flott/base/options.h"
